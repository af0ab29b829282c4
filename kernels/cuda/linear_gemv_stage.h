// One stage of weights of 16, 8 or 4 bits in shared memory, times up to 8 rows of x: what linear and expert_linear
// share.
#pragma once

#include "kernels/cuda/linear_gemv_plan.h"
#include "kernels/cuda/linear_halves.h"

namespace graft::kernels::cuda {

/// The power of two that brings `most`, the largest number of a row, near the top of float16.
__device__ __forceinline__ float gemv_factor(float most) {
  const auto exponent = static_cast<int32_t>(__float_as_uint(most) >> 23) - 127;  // 128: not finite, and stays so
  const int32_t up = exponent == 128 ? 0 : 14 - (exponent < -80 ? -80 : exponent);
  return __uint_as_float(static_cast<uint32_t>(up + 127) << 23);
}

/// What a stage of weights of a type holds, 16 rows of 128 bytes, and x beside it.
template <DType Type>
struct GemvStage {
  static constexpr int per_16 = Type == DType::int4 ? 32 : Type == DType::int8 ? 16 : 8;  ///< weights
  static constexpr int depth = gemv_row_bytes / 16 * per_16;
  static constexpr int blocks = depth / half_block;
  static constexpr int blocks_shift = blocks == 8 ? 3 : blocks == 4 ? 2 : 1;
  static constexpr int x_part_bytes = 2 * half_block, x_block_bytes = 2 * x_part_bytes;
};

/// Where 16 bytes of a row lie in a stage: turned, so that the same piece of 8 rows lies on different banks.
__device__ __forceinline__ int32_t gemv_place(int32_t row, int32_t piece) {
  return row * gemv_row_bytes + (piece ^ row % 8) * 16;
}

/// One stage of weights times x; `x`: this lane's first 16 bytes of it. Tensor cores add up no more than a stage, or a
/// group of it: what they cut off of each sum is a bias, which would grow with the depth.
/// Wide: 5 to 8 rows, else up to 4.
template <DType Type, bool Wide>
__device__ __forceinline__ void gemv_multiply(const unsigned char* stage, const unsigned char* x, int32_t stage_shift,
                                              float (&sums)[Wide ? 2 : 1][4]) {
  using Stage = GemvStage<Type>;
  constexpr int words = words_of_block<Type>, parts = Wide ? 2 : 1;
  const auto* scales = reinterpret_cast<const float*>(stage + gemv_outputs * gemv_row_bytes);
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  const int32_t g = lane / 4, q = lane % 4;
  const int32_t scale_shift = Stage::blocks_shift - stage_shift, scale_mask = (1 << scale_shift) - 1;
  float inner[parts][4] = {};
#pragma unroll
  for (int b = 0; b < Stage::blocks; ++b) {
    uint32_t word[2][words], pairs[2][4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int w = 0; w < words; ++w) word[half][w] = load_4(stage + gemv_place(g + 8 * half, b * words + w) + 4 * q);
      pairs_of_block<Type>(word[half], pairs[half]);
    }
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      const uint4 v = load_16(x + b * Stage::x_block_bytes + part * Stage::x_part_bytes);
      const uint32_t first[4] = {pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]};
      const uint32_t second[4] = {pairs[0][2], pairs[1][2], pairs[0][3], pairs[1][3]};
      multiply_halves<Type>(inner[part], first, v.x, v.y);
      multiply_halves<Type>(inner[part], second, v.z, v.w);
    }
    if constexpr (is_integer<Type>) {
      if (((b + 1) & scale_mask) != 0) continue;
      const int32_t number = b >> scale_shift;
      const float upper = scales[(g << stage_shift) + number], lower = scales[((g + 8) << stage_shift) + number];
#pragma unroll
      for (int part = 0; part < parts; ++part) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          sums[part][i] = __fmaf_rn(i < 2 ? upper : lower, inner[part][i], sums[part][i]);
          inner[part][i] = 0;
        }
      }
    }
  }
  if constexpr (!is_integer<Type>) {
#pragma unroll
    for (int part = 0; part < parts; ++part) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[part][i] += inner[part][i];
    }
  }
}

/// The larger of `most` and the magnitudes of four numbers.
__device__ __forceinline__ float largest_of(float4 v, float most) {
  return fmaxf(fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w))), most);
}

/// Eight neighbours of x, times `factor`, to their place in a block of 32 in shared memory; zeros beyond the depth.
template <DType Type>
__device__ __forceinline__ void stage_eight(const float* x, bool inside, float factor, unsigned char* block,
                                            int32_t eighth) {
  float values[8] = {};
  if (inside) {
    const float4 u = load_float4(x), v = load_float4(x + 4);
    const float loaded[8] = {u.x, u.y, u.z, u.w, v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 8; ++i) values[i] = loaded[i] * factor;
  }
  store_halves<Type>(block, block + GemvStage<Type>::x_part_bytes, eighth, values);
}

/// A lane's sums of both parts of x to the warp's part of shared memory, [8 rows of x, gemv_outputs].
template <bool Wide>
__device__ __forceinline__ void store_sums(const float (&sums)[Wide ? 2 : 1][4], int32_t lane, float* of_warp) {
  const int32_t g = lane / 4, q = lane % 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float* to = of_warp + g + 8 * half;
    if constexpr (Wide) {
      to[2 * q * gemv_outputs] = sums[0][2 * half] + sums[1][2 * half];
      to[(2 * q + 1) * gemv_outputs] = sums[0][2 * half + 1] + sums[1][2 * half + 1];
    } else {
      to[q * gemv_outputs] = sums[0][2 * half] + sums[0][2 * half + 1];
    }
  }
}

/// What the `split` warps of a group summed up for one output of a row, whose first part is at `parts`.
__device__ __forceinline__ float sum_of_warps(const float* parts, int32_t split) {
  float total = 0;
  for (int32_t w = 0; w < split; ++w) total += parts[w * 8 * gemv_outputs];
  return total;
}

}  // namespace graft::kernels::cuda
