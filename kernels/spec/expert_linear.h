#pragma once

#include "kernels/spec/linear.h"

namespace graft::kernels {

/// The weights of one linear of all experts. matrix.weight is that of the first local expert's first output, and output
/// o of local expert e is row e * expert_rows + o * row_step of it; bias and scales are found by the same row.
///   stacked [experts, outputs, in]:           expert_rows = outputs, row_step = 1
///   gate and up in one [experts, 2 n, in]:    two of these with n outputs, expert_rows = 2 n, the second beginning n
///                                             rows later; where they alternate: row_step = 2, one row later
struct ExpertSegment {
  LinearSegment matrix;  ///< out_features: of one expert
  int64_t expert_rows;
  int64_t row_step = 1;
};

/// A linear whose weights depend on the row: rows are in order of their experts, as route_experts deals them. For each
/// position p < offsets[experts], of expert e (offsets[e] <= p < offsets[e + 1]):
///   out[p, :] = concat over segments of (x_row * weight[e]^T * entry_scale + bias[e])
/// where x_row is x[entries[p] / top_k], entry_scale is entry_scales[entries[p]]; without `entries` x[p]. Sums in
/// float32. Experts without rows cost nothing, and their weights are not read.
struct ExpertLinearArgs {
  static constexpr int32_t max_segments = 2;

  const int32_t* offsets;  ///< [experts + 1], rising from 0
  int64_t capacity;  ///< the most rows that a step can have, each with at most top_k positions, of different experts
  int32_t top_k;     ///< experts of a row
  int32_t experts;   ///< that are here
  int64_t in_features;
  const float* x;  ///< [capacity, in_features], or without `entries` [capacity * top_k, in_features]
  int64_t x_stride;
  const int32_t* entries;     ///< [capacity * top_k] or null
  const float* entry_scales;  ///< [capacity, top_k] or null, which it is without `entries` (Llama 4 weights the input)
  ExpertSegment segments[max_segments];
  int32_t segment_count;
  float* out;  ///< [capacity * top_k, sum of out_features] with out_stride elements from position to position
  int64_t out_stride;
  void* scratch;  ///< at least the variant's scratch_bytes, 64-byte aligned
};

}  // namespace graft::kernels
