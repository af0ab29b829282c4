// Four elements of a floating type at once, for rows whose width and address allow it.
#pragma once

#include "kernels/cuda/convert.h"

namespace graft::kernels::cuda {

/// Whether rows of `width` elements of `bytes` bytes from `address` on can be read four elements at a time; null can.
inline bool has_quads(const void* address, int64_t width, int64_t bytes) {
  if (address == nullptr) return width % 4 == 0;
  return width % 4 == 0 && reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(4 * bytes) == 0;
}

/// Elements index ... index + 3; index is a multiple of 4.
__device__ __forceinline__ float4 load_four(const void* base, int64_t index, DType dtype) {
  if (dtype == DType::float32) return load_float4(static_cast<const float*>(base) + index);
  const uint2 bits = *reinterpret_cast<const uint2*>(static_cast<const uint16_t*>(base) + index);
  if (dtype == DType::bfloat16) {
    return {__uint_as_float(bits.x << 16), __uint_as_float(bits.x & 0xffff0000u), __uint_as_float(bits.y << 16),
            __uint_as_float(bits.y & 0xffff0000u)};
  }
  return {float16_bits_to_float(static_cast<uint16_t>(bits.x & 0xffffu)),
          float16_bits_to_float(static_cast<uint16_t>(bits.x >> 16)),
          float16_bits_to_float(static_cast<uint16_t>(bits.y & 0xffffu)),
          float16_bits_to_float(static_cast<uint16_t>(bits.y >> 16))};
}

__device__ __forceinline__ float4 plus(float4 a, float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }
__device__ __forceinline__ float4 minus(float4 a, float b) { return {a.x - b, a.y - b, a.z - b, a.w - b}; }
__device__ __forceinline__ float4 times(float4 a, float b) { return {a.x * b, a.y * b, a.z * b, a.w * b}; }
__device__ __forceinline__ float4 times(float4 a, float4 b) { return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w}; }
__device__ __forceinline__ float sum_of(float4 a) { return (a.x + a.y) + (a.z + a.w); }

}  // namespace graft::kernels::cuda
