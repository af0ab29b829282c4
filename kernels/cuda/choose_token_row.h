// A row of logits as choose_token sees it: how far each lies below the largest, which come first, and where a sum of
// masses, in a given order of the row, is first enough.
#pragma once

#include "kernels/cuda/choose_token_block.h"
#include "kernels/spec/choice_weight.h"

namespace graft::kernels::cuda {

// Floats as integers: the larger the float, the smaller its rank; both zeros have one rank. Its own inverse.
__device__ __forceinline__ uint32_t mirrored(uint32_t bits) { return bits >> 31 != 0 ? bits : bits ^ 0x7fffffffu; }
__device__ __forceinline__ uint32_t rank_of(float value) { return mirrored(value == 0 ? 0u : __float_as_uint(value)); }
__device__ __forceinline__ float logit_of(uint32_t rank) { return __uint_as_float(mirrored(rank)); }
/// The rank of minus infinity, which no candidate has.
constexpr uint32_t no_rank = 0xff800000u;

/// Rank and place in one number: the most likely first, of equal logits the first one.
__device__ __forceinline__ uint64_t entry_of(uint32_t rank, int32_t index) {
  return uint64_t{rank} << 32 | static_cast<uint32_t>(index);
}
__device__ __forceinline__ uint32_t rank_of_entry(uint64_t entry) { return static_cast<uint32_t>(entry >> 32); }
__device__ __forceinline__ int32_t index_of_entry(uint64_t entry) { return static_cast<int32_t>(entry); }

__device__ __forceinline__ int32_t bits_of(uint32_t value) { return 32 - __clz(static_cast<int>(value)); }

/// Logits index ... index + 3, minus infinity where there are none and in the place of NaN. `wide`: rows have whole,
/// aligned groups of four.
template <bool wide>
__device__ __forceinline__ void load_logits(const float* logits, int32_t vocabulary, int32_t index, float (&out)[4]) {
  constexpr float none = -__builtin_inff();
  if constexpr (wide) {
    uint4 bits = {__float_as_uint(none), __float_as_uint(none), __float_as_uint(none), __float_as_uint(none)};
    if (index < vocabulary) bits = load_16(logits + index);
    out[0] = __uint_as_float(bits.x), out[1] = __uint_as_float(bits.y);
    out[2] = __uint_as_float(bits.z), out[3] = __uint_as_float(bits.w);
  } else {
#pragma unroll
    for (int j = 0; j < 4; ++j) out[j] = index + j < vocabulary ? logits[index + j] : none;
  }
#pragma unroll
  for (int j = 0; j < 4; ++j) out[j] = fmaxf(out[j], none);
}

template <bool wide>
struct ChoiceRow {
  const float* logits;
  int32_t vocabulary;
  TokenChoice choice;
  float largest, scale;
  uint32_t first_rank;
  int32_t first;  ///< where the first largest is

  __device__ float distance(float logit) const { return choice_distance(logit, largest, scale); }
  __device__ int64_t weight(float logit) const { return choice_weight(distance(logit)); }
  /// Grows with the distance; choice_bins: too far away to weigh anything.
  __device__ int32_t bin(float logit) const {
    const float d = distance(logit);
    return d < choice_reach ? static_cast<int32_t>(d * bins_of_octave) : choice_bins;
  }
  __device__ int32_t index_bits() const { return bits_of(static_cast<uint32_t>(vocabulary - 1)); }
  /// As the entry, without what all have in common.
  __device__ uint64_t order(float logit, int32_t index) const {
    return uint64_t{rank_of(logit) - first_rank} << index_bits() | static_cast<uint32_t>(index);
  }
  /// What may be drawn of it when top_k and top_p keep all up to `last`.
  __device__ uint64_t kept(float logit, int32_t index, uint64_t last) const {
    if (order(logit, index) > last) return 0;
    const int64_t w = weight(logit);
    return index == first || choice_likely(w, choice.min_p) ? static_cast<uint64_t>(w) : 0;
  }

  /// body(logit, index) for each candidate from `begin`, a multiple of four, up to `end`, which may lie beyond the row.
  template <class Body>
  __device__ __forceinline__ void each(int32_t begin, int32_t end, const Body& body) const {
    for (int32_t i = begin + 4 * static_cast<int32_t>(threadIdx.x); i < end; i += 4 * choose_threads) {
      float x[4];
      load_logits<wide>(logits, vocabulary, i, x);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (x[j] > -__builtin_inff()) body(x[j], i + j);
      }
    }
  }
  /// The same in a quarter of the instructions, of which a block that runs once must fetch each.
  template <class Body>
  __device__ __forceinline__ void each_briefly(int32_t begin, int32_t end, const Body& body) const {
    end = end < vocabulary ? end : vocabulary;
#pragma unroll 1
    for (int32_t i = begin + static_cast<int32_t>(threadIdx.x); i < end; i += choose_threads) {
      const float x = logits[i];
      if (x > -__builtin_inff()) body(x, i);
    }
  }
};

/// Candidates in shared memory, or where they are too many all of the row.
template <bool wide>
struct Candidates {
  const ChoiceRow<wide>& row;
  const ChooseShared& shared;

  template <class Body>
  __device__ __forceinline__ void operator()(const Body& body) const {
    const int32_t listed = shared.listed;
    if (listed > choice_candidates) return row.each_briefly(0, row.vocabulary, body);
#pragma unroll 1
    for (int32_t n = static_cast<int32_t>(threadIdx.x); n < listed; n += choose_threads) {
      body(shared.list[n].logit, shared.list[n].index);
    }
  }
};

/// Of all that `each` visits and whose order has at most `bits` bits, taken in that order: the order of the one with
/// which the sum of masses is first enough; all ones where none is. By digits from the highest on (radix selection).
/// `exact` false: lower bits may all be ones where that makes no difference to what comes up to it.
template <class Each, class Order, class Mass, class Enough>
__device__ __forceinline__ uint64_t radix_select(ChooseShared& shared, bool exact, int32_t bits, const Each& each,
                                                 const Order& order, const Mass& mass, const Enough& enough) {
  uint64_t prefix = 0, before = 0;
  for (int32_t left = bits; left > 0;) {
    const int32_t next = left > digit_bits ? left - digit_bits : 0;
    clear_bins(shared);
    each([&](float logit, int32_t index) {
      const uint64_t place = order(logit, index);
      if (place >> left != prefix) return;
      const uint64_t given = mass(logit, index);
      if (given == 0) return;
      const uint32_t digit = static_cast<uint32_t>(place >> next) & ((1u << (left - next)) - 1);
      add_to_bin(shared, digit, given);
      atomicAdd(&shared.count[digit], 1u);
    });
    __syncthreads();
    const FoundBin found = find_bin(mass_of_bin(shared), before, shared, enough);
    if (found.bin == choose_threads) return ~uint64_t{0};
    prefix = prefix << (left - next) | static_cast<uint32_t>(found.bin);
    before = found.before;
    left = next;
    if (found.count == 1 && !exact) return (prefix + 1) * (uint64_t{1} << left) - 1;
  }
  return prefix;
}

}  // namespace graft::kernels::cuda
