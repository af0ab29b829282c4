// Weights as they lie in memory, as pairs of 16-bit numbers for the tensor cores, and rows of x as two such numbers
// each.
#pragma once

#include "kernels/cuda/linear_weights.h"
#include "kernels/cuda/plan.h"

namespace graft::kernels::cuda {

/// Depth that two products of 16 cover; what a lane multiplies of it lies side by side in 16 bytes of x.
constexpr int half_block = 32;

/// Tensor cores take bfloat16 for bfloat16 weights; for the others float16, in which int8 and int4 are exact.
template <DType Type>
constexpr bool takes_bfloat16 = Type == DType::bfloat16;

template <DType Type>
__device__ __forceinline__ uint32_t pack_halves(float low, float high) {
  return takes_bfloat16<Type> ? pack_bfloat16(low, high) : pack_float16(low, high);
}
template <DType Type>
__device__ __forceinline__ float low_half(uint32_t pair) {
  return takes_bfloat16<Type> ? __uint_as_float(pair << 16)
                              : float16_bits_to_float(static_cast<uint16_t>(pair & 0xffffu));
}
template <DType Type>
__device__ __forceinline__ float high_half(uint32_t pair) {
  return takes_bfloat16<Type> ? __uint_as_float(pair & 0xffff0000u)
                              : float16_bits_to_float(static_cast<uint16_t>(pair >> 16));
}
template <DType Type>
__device__ __forceinline__ void multiply_halves(float (&sums)[4], const uint32_t (&weights)[4], uint32_t x0,
                                                uint32_t x1) {
  const uint32_t x[2] = {x0, x1};
  if constexpr (takes_bfloat16<Type>) {
    mma_bfloat16(sums, weights, x);
  } else {
    mma_float16(sums, weights, x);
  }
}

// As in linear_weights.h: bits put below the exponent of 1024 are that number plus their integer.
constexpr uint32_t two_1024 = 0x64006400u;

/// Four signed bytes: (0, 1), (2, 3).
__device__ __forceinline__ void pairs_of_int8(uint32_t word, uint32_t* to) {
  constexpr uint32_t two_1152 = 0x64806480u;
  const uint32_t biased = word ^ 0x80808080u;  // value + 128
  to[0] = subtract_halves(__byte_perm(biased, two_1024, 0x5150u), two_1152);
  to[1] = subtract_halves(__byte_perm(biased, two_1024, 0x5352u), two_1152);
}

/// Eight nibbles, each stored as value + 8: (0, 4), (1, 5), (2, 6), (3, 7).
__device__ __forceinline__ void pairs_of_int4(uint32_t word, uint32_t* to) {
  constexpr uint32_t two_1032 = 0x64086408u, two_sixteenths = 0x2c002c00u, minus_two_72 = 0xd480d480u;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const uint32_t shifted = word >> (8 * i);
    to[2 * i] = subtract_halves(and_or(shifted, 0x000f000fu, two_1024), two_1032);
    to[2 * i + 1] = multiply_add_halves(and_or(shifted, 0x00f000f0u, two_1024), two_sixteenths, minus_two_72);
  }
}

/// Words that hold a lane's weights of a half_block, of one row: word `lane % 4` of as many neighbouring 16 bytes.
template <DType Type>
constexpr int words_of_block = Type == DType::int4   ? 1
                               : Type == DType::int8 ? 2
                                                     : 4;

/// The pairs of these words: 0 and 1 for the first product of 16, 2 and 3 for the second.
template <DType Type>
__device__ __forceinline__ void pairs_of_block(const uint32_t (&words)[words_of_block<Type>], uint32_t (&to)[4]) {
  if constexpr (Type == DType::int4) {
    pairs_of_int4(words[0], to);
  } else if constexpr (Type == DType::int8) {
    pairs_of_int8(words[0], to);
    pairs_of_int8(words[1], to + 2);
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) to[i] = words[i];
  }
}

/// Stores eight neighbours of x, from depth 8 * eighth of a half_block on, where the lanes look for them: the numbers
/// of lane % 4 == q in the order of pairs_of_block at 16 q. `high` and `low` are 64 bytes each: the nearest 16-bit
/// numbers, and what these leave.
template <DType Type>
__device__ __forceinline__ void store_halves(unsigned char* high, unsigned char* low, int32_t eighth,
                                             const float (&x)[8]) {
  uint32_t near[4], rest[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float first = Type == DType::int4 ? x[i] : x[2 * i], second = Type == DType::int4 ? x[i + 4] : x[2 * i + 1];
    near[i] = pack_halves<Type>(first, second);
    rest[i] = pack_halves<Type>(first - low_half<Type>(near[i]), second - high_half<Type>(near[i]));
  }
  if constexpr (Type == DType::int4) {  // all of one lane
    store_16(high + 16 * eighth, {near[0], near[1], near[2], near[3]});
    store_16(low + 16 * eighth, {rest[0], rest[1], rest[2], rest[3]});
  } else if constexpr (Type == DType::int8) {  // half of two lanes'
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int32_t at = 16 * (eighth % 2 * 2 + i) + 8 * (eighth / 2);
      store_8(high + at, {near[2 * i], near[2 * i + 1]});
      store_8(low + at, {rest[2 * i], rest[2 * i + 1]});
    }
  } else {  // a quarter of four lanes'
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int32_t at = 16 * i + 4 * eighth;
      store_4(high + at, near[i]);
      store_4(low + at, rest[i]);
    }
  }
}

}  // namespace graft::kernels::cuda
