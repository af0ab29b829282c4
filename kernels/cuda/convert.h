// Elements of tensors to and from float32 in device code.
#pragma once

#include "kernels/cuda/ptx.h"
#include "kernels/spec/dtype.h"

namespace graft::kernels::cuda {

__device__ __forceinline__ float bfloat16_bits_to_float(uint16_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits) << 16);
}

/// Element `index` of an array whose floating type is known when the kernel runs.
__device__ __forceinline__ float load_element(const void* base, int64_t index, DType dtype) {
  if (dtype == DType::float32) return static_cast<const float*>(base)[index];
  const uint16_t bits = static_cast<const uint16_t*>(base)[index];
  return dtype == DType::bfloat16 ? bfloat16_bits_to_float(bits) : float16_bits_to_float(bits);
}
/// Elements index and index + 1, at any address: one branch for both.
__device__ __forceinline__ float2 load_two(const void* base, int64_t index, DType dtype) {
  if (dtype == DType::float32) {
    const float* from = static_cast<const float*>(base) + index;
    return make_float2(from[0], from[1]);
  }
  const uint16_t* from = static_cast<const uint16_t*>(base) + index;
  const uint16_t first = from[0], second = from[1];
  const bool wide = dtype == DType::bfloat16;
  return make_float2(wide ? bfloat16_bits_to_float(first) : float16_bits_to_float(first),
                     wide ? bfloat16_bits_to_float(second) : float16_bits_to_float(second));
}
__device__ __forceinline__ void store_element(void* base, int64_t index, DType dtype, float value) {
  if (dtype == DType::float32) {
    static_cast<float*>(base)[index] = value;
  } else {
    static_cast<uint16_t*>(base)[index] =
        dtype == DType::bfloat16 ? float_to_bfloat16_bits(value) : float_to_float16_bits(value);
  }
}

/// Two elements of x as matrix products of many rows take them: in the type of 16-bit weights, else as bfloat16.
template <DType Weights>
__device__ __forceinline__ uint32_t pack_x(float low, float high) {
  return Weights == DType::float16 ? pack_finite_float16(low, high) : pack_bfloat16(low, high);
}

}  // namespace graft::kernels::cuda
