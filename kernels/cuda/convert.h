// Elements of tensors to and from float32 in device code.
#pragma once

#include "kernels/cuda/ptx.h"
#include "kernels/spec/dtype.h"

namespace graft::kernels::cuda {

__device__ __forceinline__ float bfloat16_bits_to_float(uint16_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits) << 16);
}

/// How elements of a floating type are stored. `per_16`: elements of a 16-byte load.
template <DType Type>
struct Element;
template <>
struct Element<DType::float32> {
  using Storage = float;
  static constexpr int per_16 = 4;
  static __device__ __forceinline__ float to_float(float value) { return value; }
  static __device__ __forceinline__ float from_float(float value) { return value; }
  static __device__ __forceinline__ void unpack(uint4 from, float* to) {
    to[0] = __uint_as_float(from.x);
    to[1] = __uint_as_float(from.y);
    to[2] = __uint_as_float(from.z);
    to[3] = __uint_as_float(from.w);
  }
};
template <>
struct Element<DType::bfloat16> {
  using Storage = uint16_t;
  static constexpr int per_16 = 8;
  static __device__ __forceinline__ float to_float(uint16_t bits) { return bfloat16_bits_to_float(bits); }
  static __device__ __forceinline__ uint16_t from_float(float value) { return float_to_bfloat16_bits(value); }
  static __device__ __forceinline__ void unpack(uint4 from, float* to) {
    const uint32_t pairs[4] = {from.x, from.y, from.z, from.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      to[2 * i] = __uint_as_float(pairs[i] << 16);
      to[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000u);
    }
  }
};
template <>
struct Element<DType::float16> {
  using Storage = uint16_t;
  static constexpr int per_16 = 8;
  static __device__ __forceinline__ float to_float(uint16_t bits) { return float16_bits_to_float(bits); }
  static __device__ __forceinline__ uint16_t from_float(float value) { return float_to_float16_bits(value); }
  static __device__ __forceinline__ void unpack(uint4 from, float* to) {
    const uint32_t pairs[4] = {from.x, from.y, from.z, from.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      to[2 * i] = float16_bits_to_float(static_cast<uint16_t>(pairs[i] & 0xffffu));
      to[2 * i + 1] = float16_bits_to_float(static_cast<uint16_t>(pairs[i] >> 16));
    }
  }
};

/// Element `index` of an array whose floating type is known when the kernel runs.
__device__ __forceinline__ float load_element(const void* base, int64_t index, DType dtype) {
  if (dtype == DType::float32) return static_cast<const float*>(base)[index];
  const uint16_t bits = static_cast<const uint16_t*>(base)[index];
  return dtype == DType::bfloat16 ? bfloat16_bits_to_float(bits) : float16_bits_to_float(bits);
}
__device__ __forceinline__ void store_element(void* base, int64_t index, DType dtype, float value) {
  if (dtype == DType::float32) {
    static_cast<float*>(base)[index] = value;
  } else {
    static_cast<uint16_t*>(base)[index] =
        dtype == DType::bfloat16 ? float_to_bfloat16_bits(value) : float_to_float16_bits(value);
  }
}

}  // namespace graft::kernels::cuda
