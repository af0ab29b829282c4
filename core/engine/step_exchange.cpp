#include "core/engine/step_exchange.h"

#include <algorithm>
#include <cstring>

#include "core/base/status.h"
#include "core/engine/run_ahead.h"

namespace graft {
namespace {

// One message carries a decode step whole; what is longer follows in a second one.
constexpr int64_t first_bytes = 8192;
constexpr int64_t most_copies = int64_t{1} << 20;

}  // namespace

struct StepExchange::Header {
  Order order;
  int64_t copies;
  int64_t bytes;  ///< of the whole message
};

StepExchange::StepExchange(Communicator& ranks, StepBuffer& step, CachePool& cache)
    : ranks_(ranks), step_(step), cache_(cache) {
  if (ranks.rank() == 0) cache.note_copies();
  resize_for(0);
}

void StepExchange::resize_for(int64_t copies) {
  const int64_t bytes = static_cast<int64_t>(sizeof(Header)) +
                        copies * static_cast<int64_t>(sizeof(CachePool::BlockCopy)) + step_.most_packed_bytes();
  if (static_cast<int64_t>(message_.size()) < bytes) {
    message_.resize(static_cast<size_t>(std::max(bytes, first_bytes)));
  }
}

void StepExchange::give(Order order) {
  Header header{order, 0, sizeof(Header)};
  if (has_contents(order)) {
    const std::vector<CachePool::BlockCopy>& copies = cache_.noted_copies();
    resize_for(static_cast<int64_t>(copies.size()));
    const size_t copy_bytes = copies.size() * sizeof(CachePool::BlockCopy);
    header.copies = static_cast<int64_t>(copies.size());
    header.bytes += static_cast<int64_t>(copy_bytes) + step_.packed_bytes();
    std::byte* at = message_.data() + sizeof(Header);
    if (!copies.empty()) std::memcpy(at, copies.data(), copy_bytes);
    step_.pack(at + copy_bytes);
    cache_.forget_copies();
  }
  std::memcpy(message_.data(), &header, sizeof header);
  ranks_.broadcast(message_.data(), first_bytes);
  if (header.bytes > first_bytes) ranks_.broadcast(message_.data() + first_bytes, header.bytes - first_bytes);
}

StepExchange::Order StepExchange::take() {
  ranks_.broadcast(message_.data(), first_bytes);
  Header header;
  std::memcpy(&header, message_.data(), sizeof header);
  const auto [kind, next] = header.order;
  if (kind < Kind::idle || kind > Kind::stop || next < 0 || next >= RunAhead::most_steps) {
    fail(StatusCode::comm_error, "rank 0 sent order {} with {} steps, expected at most {} and {}",
         static_cast<int32_t>(kind), next, static_cast<int32_t>(Kind::stop), RunAhead::most_steps - 1);
  }
  if (!has_contents(header.order)) return header.order;
  resize_for(std::clamp<int64_t>(header.copies, 0, most_copies));
  const int64_t least =
      static_cast<int64_t>(sizeof header) + header.copies * static_cast<int64_t>(sizeof(CachePool::BlockCopy));
  if (header.copies < 0 || header.copies > most_copies || header.bytes < least ||
      header.bytes > static_cast<int64_t>(message_.size())) {
    fail(StatusCode::comm_error, "rank 0 sent a step of {} bytes with {} copies, expected at most {} bytes",
         header.bytes, header.copies, message_.size());
  }
  if (header.bytes > first_bytes) ranks_.broadcast(message_.data() + first_bytes, header.bytes - first_bytes);
  const std::byte* at = message_.data() + sizeof header;
  for (int64_t i = 0; i < header.copies; ++i, at += sizeof(CachePool::BlockCopy)) {
    CachePool::BlockCopy copy;
    std::memcpy(&copy, at, sizeof copy);
    cache_.copy_block(copy);
  }
  step_.unpack(at);
  return header.order;
}

// A float holds 16 bits exactly, so each value travels as four.
std::vector<std::vector<int64_t>> gather_values(Communicator& ranks, const std::vector<int64_t>& values) {
  constexpr size_t pieces = 4;
  const size_t count = values.size() * pieces;
  std::vector<float> mine, all(count * static_cast<size_t>(ranks.size()));
  for (const int64_t value : values) {
    for (size_t p = 0; p < pieces; ++p) mine.push_back(static_cast<float>((value >> (16 * p)) & 0xffff));
  }
  const std::vector<int64_t> counts(static_cast<size_t>(ranks.size()), static_cast<int64_t>(count));
  ranks.all_gather(mine.data(), counts.data(), all.data());
  std::vector<std::vector<int64_t>> gathered(counts.size(), std::vector<int64_t>(values.size(), 0));
  for (size_t i = 0; i < all.size(); ++i) {
    int64_t& value = gathered[i / count][i % count / pieces];
    value |= static_cast<int64_t>(all[i]) << (16 * (i % pieces));
  }
  return gathered;
}

void agree_on_least(Communicator& ranks, std::vector<int64_t>& values) {
  const std::vector<std::vector<int64_t>> all = gather_values(ranks, values);
  for (const std::vector<int64_t>& of_rank : all) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::min(values[i], of_rank[i]);
  }
}

void require_equal(Communicator& ranks, const std::vector<SharedValue>& values) {
  std::vector<int64_t> mine;
  for (const SharedValue& value : values) mine.push_back(value.value);
  const std::vector<std::vector<int64_t>> all = gather_values(ranks, mine);
  for (size_t r = 1; r < all.size(); ++r) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (all[r][i] == all[0][i]) continue;
      fail(StatusCode::invalid_argument, "the ranks do not open the same model: {} is {} on rank 0 and {} on rank {}",
           values[i].name, all[0][i], all[r][i], r);
    }
  }
}

}  // namespace graft
