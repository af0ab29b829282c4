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
__device__ __forceinline__ float block_max(float value, float* partial) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  value = warp_max(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  const float most = warp_max(partial[lane < warps ? lane : 0]);
  __syncthreads();
  return most;
}

}  // namespace graft::kernels::cuda
