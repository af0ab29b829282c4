// Scratch of linear where cuBLASLt makes the products, and how integer weights are dealt to it.
#pragma once

#include "kernels/cuda/linear_plan.h"
#include "kernels/cuda/matmul.h"

namespace graft::kernels::cuda {

/// Scratch, each part on 256 bytes: x as 16-bit numbers [capacity, in_features], as many rows of integer weights as
/// bfloat16, and the library's working memory. A part whose rows are no multiple of 128 is the last of its matrix.
struct CublasLtPlan {
  int64_t x_bytes;
  int64_t weight_rows;  ///< that are turned into bfloat16 at a time; 0 where weights have 16 bits already
  int64_t weight_bytes;
  int64_t scratch_bytes;
};

inline CublasLtPlan cublaslt_plan(const LinearArgs& a) {
  // In the level 2 cache (50 MiB on capability 9.0) what was written is when the product reads it.
  constexpr int64_t part_bytes = int64_t{32} << 20, part_multiple = 128, alignment = 256;
  CublasLtPlan plan = {};
  const int64_t row_bytes = 2 * a.in_features;
  plan.x_bytes = round_up(a.capacity * row_bytes, alignment);
  const DType dtype = a.segments[0].weight_dtype;
  int64_t most = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    if (a.segments[s].out_features > most) most = a.segments[s].out_features;
  }
  if (most > 0 && (dtype == DType::int8 || dtype == DType::int4)) {
    const int64_t fitting = part_bytes / row_bytes > 0 ? part_bytes / row_bytes : 1;
    // Of equal size, or the last would leave most of the device idle.
    plan.weight_rows = round_up(divide_up(most, divide_up(most, fitting)), part_multiple);
    if (plan.weight_rows > most) plan.weight_rows = most;
    plan.weight_bytes = round_up(plan.weight_rows * row_bytes, alignment);
  }
  plan.scratch_bytes = alignment + plan.x_bytes + plan.weight_bytes + matmul_workspace_bytes;
  return plan;
}

constexpr int cublaslt_threads = 256;  ///< of the kernels in front of the products and behind

/// x to 16-bit numbers, eight by each thread.
inline Blocks halve_rows_plan(const LinearArgs& a, int32_t multiprocessors) {
  return blocks_for_rows(a.capacity, divide_up(a.in_features, 8), cublaslt_threads, multiprocessors);
}

/// `rows` rows of a part of integer weights to bfloat16, 16 bytes by each thread: a thread to a column of such.
inline Blocks scale_weights_plan(DType dtype, int64_t in_features, int64_t rows, int32_t multiprocessors) {
  const int64_t across = divide_up(in_features / weights_per_16(dtype), cublaslt_threads);
  const int64_t down = divide_up(grid_for(rows * across, multiprocessors), across);
  return {static_cast<uint32_t>(across), static_cast<uint32_t>(down), cublaslt_threads};
}

inline Blocks add_bias_plan(const LinearArgs& a, int64_t outputs) {
  return blocks_for_columns(a.capacity, outputs, cublaslt_threads);
}

}  // namespace graft::kernels::cuda
