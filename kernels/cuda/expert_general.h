// expert_linear for whatever the fast kernels leave, and for float32 weights. A warp for each output, its lanes along
// the depth; up to 8 rows of an expert pass by each weight.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/expert_linear_plan.h"
#include "kernels/cuda/expert_tiles.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_weight_at.h"

namespace graft::kernels::cuda {

/// Wide: weights are float32, and they and x are read 16 bytes at a time.
template <bool Wide>
__global__ void __launch_bounds__(32 * expert_general_warps, 2)
    expert_general_kernel(const __grid_constant__ ExpertLinearArgs a, int32_t outputs, int32_t chunks) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  constexpr int rows_at_once = expert_few_rows;
  const auto block = static_cast<int32_t>(blockIdx.x), lane = static_cast<int32_t>(threadIdx.x % 32);
  const ExpertTile tile = find_expert_tile(a, 3, block / chunks);
  if (tile.rows == 0) return;
  const float* x[rows_at_once];
  float scales[rows_at_once];
#pragma unroll
  for (int r = 0; r < rows_at_once; ++r) {
    const int32_t position = tile.first + (r < tile.rows ? r : 0);
    x[r] = a.x + expert_x_row(a, position) * a.x_stride;
    scales[r] = expert_scale(a, position);
  }
  for (int32_t o = block % chunks * expert_general_warps + static_cast<int32_t>(threadIdx.x / 32); o < outputs;
       o += chunks * expert_general_warps) {
    const OutputTile at = expert_output_tile(a, o, 1);
    const ExpertSegment& segment = a.segments[at.segment];
    const int64_t row = tile.expert * segment.expert_rows + at.row * segment.row_step;
    float sums[rows_at_once] = {};
    if constexpr (Wide) {
      const float* weights = static_cast<const float*>(segment.matrix.weight) + row * a.in_features;
#pragma unroll 2
      for (int64_t i = 4 * lane; i < a.in_features; i += 128) {
        const uint4 bits = load_once_16(weights + i);
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) {
          if (r >= tile.rows) continue;
          const float4 v = load_float4(x[r] + i);
          sums[r] = __fmaf_rn(__uint_as_float(bits.x), v.x, sums[r]);
          sums[r] = __fmaf_rn(__uint_as_float(bits.y), v.y, sums[r]);
          sums[r] = __fmaf_rn(__uint_as_float(bits.z), v.z, sums[r]);
          sums[r] = __fmaf_rn(__uint_as_float(bits.w), v.w, sums[r]);
        }
      }
    } else {
      for (int64_t i = lane; i < a.in_features; i += 32) {
        const float weight = weight_at(segment.matrix, a.in_features, row, i);
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) {
          if (r < tile.rows) sums[r] += weight * x[r][i];
        }
      }
    }
    float bias = 0;
    if (segment.matrix.bias != nullptr) bias = load_element(segment.matrix.bias, row, segment.matrix.bias_dtype);
#pragma unroll
    for (int r = 0; r < rows_at_once; ++r) {
      const float sum = warp_sum(sums[r]) * scales[r] + bias;
      if (lane == r && r < tile.rows) a.out[(tile.first + r) * a.out_stride + at.out_column + at.row] = sum;
    }
  }
}

template <bool Wide>
void launch_expert_general(const ExpertLinearArgs& a, const Context& context) {
  const ExpertGeneralPlan plan = expert_general_plan(a);
  if (plan.tiles * plan.chunks == 0) return;
  launch_overlapped(expert_general_kernel<Wide>, expert_general_blocks(plan), context.stream, a,
                    static_cast<int32_t>(expert_output_tiles(a, 1)), static_cast<int32_t>(plan.chunks));
}

}  // namespace graft::kernels::cuda
