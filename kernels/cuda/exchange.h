// A row's words between the ranks of a group (kernels/spec/sum_residual_norm.h has the protocol).
#pragma once

#include "kernels/cuda/ptx.h"
#include "kernels/spec/sum_residual_norm.h"

namespace graft::kernels::cuda {

__device__ __forceinline__ uint64_t flagged(float value, uint32_t epoch) {
  return static_cast<uint64_t>(epoch) << 32 | __float_as_uint(value);
}
__device__ __forceinline__ float value_of(uint64_t word) { return __uint_as_float(static_cast<uint32_t>(word)); }
__device__ __forceinline__ uint32_t epoch_of(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

/// One row of a rank in one epoch.
struct ExchangedRow {
  const PeerExchange& peers;
  uint32_t epoch;
  int64_t place;   ///< of rank 0's words
  int64_t stride;  ///< from one rank's words to the next one's
  bool stopped;    ///< a wait of this rank was given up before, as `given_up` says too

  __device__ __forceinline__ ExchangedRow(const PeerExchange& exchange, int64_t row)
      : peers(exchange),
        epoch(next_epoch(exchange.epochs[row])),
        place(exchange_place(exchange, row, epoch, 0)),
        stride(exchange_row_bytes(exchange.most_width)),
        stopped(*exchange_stop(exchange) != 0) {}

  /// Values 2 `pair` and the next to all others, the next rank first so that not all begin with the same one.
  __device__ __forceinline__ void give(int64_t pair, float2 mine) const {
    if (stopped) return;
    const WordPair words = {flagged(mine.x, epoch), flagged(mine.y, epoch)};
    const int64_t to = place + peers.rank * stride + 16 * pair;
    int32_t peer = peers.rank;
    for (int32_t i = 1; i < peers.ranks; ++i) {
      peer = peer + 1 < peers.ranks ? peer + 1 : 0;
      store_shared_words(static_cast<unsigned char*>(peers.areas[peer]) + to, words);
    }
  }

  /// Makes of this rank's values of Count pairs (`pair`, then `step` further each, those below `end`) the sums over the
  /// ranks, added in their order; anything once all was given up. At most Ranks ranks. All words are asked for at once.
  template <int Count, int Ranks>
  __device__ __forceinline__ void take(int64_t pair, int64_t step, int64_t end, float2* values) const {
    const unsigned char* from = static_cast<const unsigned char*>(peers.areas[peers.rank]) + place + 16 * pair;
    const auto is_asked = [&](int j, int k) { return k + 1 < peers.ranks && pair + j * step < end; };
    WordPair words[Count][Ranks - 1] = {};  // of the other ranks, in their order
    for (int look = 1;; ++look) {
      bool arrived = true;
#pragma unroll
      for (int j = 0; j < Count; ++j) {
#pragma unroll
        for (int k = 0; k < Ranks - 1; ++k) {
          const int source = k < peers.rank ? k : k + 1;
          if (is_asked(j, k)) words[j][k] = load_shared_words(from + source * stride + 16 * j * step);
        }
      }
#pragma unroll
      for (int j = 0; j < Count; ++j) {
#pragma unroll
        for (int k = 0; k < Ranks - 1; ++k) {
          const bool is_new = epoch_of(words[j][k].first) == epoch && epoch_of(words[j][k].second) == epoch;
          arrived = arrived && (is_new || !is_asked(j, k));
        }
      }
      if (arrived) break;
      if (look % looks_at_words == 0 && load_shared_4(peers.given_up) != 0) {
        *exchange_stop(peers) = 1;
        break;
      }
      pause_between_looks();
    }
#pragma unroll
    for (int j = 0; j < Count; ++j) values[j] = sum_of(values[j], words[j]);
  }

 private:
  template <int Others>
  __device__ __forceinline__ float2 sum_of(float2 mine, const WordPair (&words)[Others]) const {
    const auto plus = [](float2 a, float2 b) { return float2{a.x + b.x, a.y + b.y}; };
    const auto value = [&](int k) { return float2{value_of(words[k].first), value_of(words[k].second)}; };
    float2 sum = peers.rank == 0 ? mine : value(0);
#pragma unroll
    for (int k = 0; k < Others; ++k) {
      if (k + 1 >= peers.ranks) continue;
      if (k > 0 || peers.rank == 0) sum = plus(sum, value(k));
      if (k + 1 == peers.rank) sum = plus(sum, mine);
    }
    return sum;
  }
};

}  // namespace graft::kernels::cuda
