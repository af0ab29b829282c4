// The ranks' sum on host memory, each rank a thread: the protocol of the device, word for word.
#include "kernels/spec/sum_residual_norm.h"

#include <sched.h>

#include <atomic>
#include <cstring>

#include "kernels/spec/variant.h"

namespace graft::kernels {

extern const Variant kernel_reference_residual_norm;

namespace {

uint64_t flagged(float value, uint32_t epoch) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint64_t>(epoch) << 32 | bits;
}

std::atomic_ref<uint64_t> word_of(const PeerExchange& peers, int32_t owner, int64_t place, int64_t value) {
  return std::atomic_ref<uint64_t>(
      reinterpret_cast<uint64_t*>(static_cast<unsigned char*>(peers.areas[owner]) + place)[value]);
}

bool given_up(const PeerExchange& peers) {
  return std::atomic_ref<uint32_t>(const_cast<uint32_t&>(*peers.given_up)).load(std::memory_order_relaxed) != 0;
}

// One value; something else once the others are given up.
float take(const PeerExchange& peers, int64_t place, int64_t index, uint32_t epoch) {
  for (;;) {
    const uint64_t word = word_of(peers, peers.rank, place, index).load(std::memory_order_relaxed);
    const auto bits = static_cast<uint32_t>(word);
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (word >> 32 == epoch || *exchange_stop(peers) != 0) return value;
    if (given_up(peers)) *exchange_stop(peers) = 1;
    sched_yield();
  }
}

void sum_row(const SumResidualNormArgs& a, int64_t row) {
  const PeerExchange& peers = a.peers;
  const float* share = a.norm.delta + row * a.norm.width;
  float* residual = a.norm.residual + row * a.norm.width;
  const uint32_t epoch = next_epoch(peers.epochs[row]);
  const int64_t mine = exchange_place(peers, row, epoch, peers.rank);
  for (int32_t r = 0; *exchange_stop(peers) == 0 && r < peers.ranks; ++r) {
    for (int64_t i = 0; r != peers.rank && i < a.norm.width; ++i) {
      word_of(peers, r, mine, i).store(flagged(share[i], epoch), std::memory_order_relaxed);
    }
    // The device's words are whole.
    if (r != peers.rank && a.norm.width % 2 != 0) {
      word_of(peers, r, mine, a.norm.width).store(flagged(0, epoch), std::memory_order_relaxed);
    }
  }
  peers.epochs[row] = epoch;
  for (int64_t i = 0; i < a.norm.width; ++i) {
    float sum = 0;
    for (int32_t r = 0; r < peers.ranks; ++r) {
      const float value = r == peers.rank ? share[i] : take(peers, exchange_place(peers, row, epoch, r), i, epoch);
      sum = r == 0 ? value : sum + value;
    }
    residual[i] += sum;
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const SumResidualNormArgs*>(args);
  for (int64_t row = 0; row < *a.norm.rows; ++row) sum_row(a, row);
  ResidualNormArgs norm = a.norm;
  norm.delta = nullptr;
  kernel_reference_residual_norm.run(&norm, context);
}

}  // namespace

extern const Variant kernel_reference_sum_residual_norm;
const Variant kernel_reference_sum_residual_norm = {
    Op::sum_residual_norm, Isa::reference, "sum_residual_norm.reference", nullptr, nullptr, run};

}  // namespace graft::kernels
