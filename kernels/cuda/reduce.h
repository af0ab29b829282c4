// Sums and maxima over a warp and over a block, always in the same order.
#pragma once

#include "kernels/cuda/ptx.h"

namespace graft::kernels::cuda {

constexpr unsigned all_lanes = 0xffffffffu;

/// All lanes get the result; all 32 must take part.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) value += __shfl_xor_sync(all_lanes, value, bits);
  return value;
}
__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, bits));
  return value;
}

/// Sums of Count values each over the warp, Count a power of two up to 32, with as few shuffles as that takes: lane l
/// gets the sum of value l / (32 / Count). Leaves `values` without meaning.
template <int Count, int Left = Count / 2, int Bits = 16, int Size>
__device__ __forceinline__ float warp_sums(float (&values)[Size]) {
  if constexpr (Left > 0) {
    const bool upper = (threadIdx.x & Bits) != 0;  // keeps the upper half of the values
#pragma unroll
    for (int i = 0; i < Left; ++i) {
      const float given = upper ? values[i] : values[i + Left], kept = upper ? values[i + Left] : values[i];
      values[i] = kept + __shfl_xor_sync(all_lanes, given, Bits);
    }
    return warp_sums<Count, Left / 2, Bits / 2>(values);
  } else {
#pragma unroll
    for (int bits = Bits; bits > 0; bits /= 2) values[0] += __shfl_xor_sync(all_lanes, values[0], bits);
    return values[0];
  }
}

/// Sum over a one-dimensional block of whole warps, at most 32; all threads take part and get it. `partial`: 32 floats
/// of shared memory, free again for the next call.
__device__ __forceinline__ float block_sum(float value, float* partial) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  value = warp_sum(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  const float sum = warp_sum(lane < warps ? partial[lane] : 0.0f);
  __syncthreads();
  return sum;
}

}  // namespace graft::kernels::cuda
