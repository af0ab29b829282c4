// Integer weights as they lie in memory, four at a time to float32.
#pragma once

#include "kernels/cuda/ptx.h"
#include "kernels/spec/dtype.h"

namespace graft::kernels::cuda {

template <DType Type>
constexpr bool is_integer = Type == DType::int8 || Type == DType::int4;

// Bits put below the exponent of 2^23 are that number plus their integer: no conversion instruction is needed.
constexpr uint32_t two_to_23 = 0x4b000000u;

/// Four signed bytes.
__device__ __forceinline__ void unpack_int8(uint32_t word, float (&to)[4]) {
  const uint32_t biased = word ^ 0x80808080u;  // value + 128
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    to[i] = __uint_as_float(__byte_perm(biased, two_to_23, 0x7440u | i)) - 8388736.0f;  // 2^23 + 128
  }
}

/// The low four nibbles of a word, stored as value + 8. Each stays where it is, times 16^i, and one exact multiply-add
/// takes it down.
__device__ __forceinline__ void unpack_int4(uint32_t word, float (&to)[4]) {
  to[0] = __uint_as_float(and_or(word, 0xfu, two_to_23)) - 8388616.0f;
  to[1] = __fmaf_rn(__uint_as_float(and_or(word, 0xf0u, two_to_23)), 0x1p-4f, -524296.0f);
  to[2] = __fmaf_rn(__uint_as_float(and_or(word, 0xf00u, two_to_23)), 0x1p-8f, -32776.0f);
  to[3] = __fmaf_rn(__uint_as_float(and_or(word, 0xf000u, two_to_23)), 0x1p-12f, -2056.0f);
}

}  // namespace graft::kernels::cuda
