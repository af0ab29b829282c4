#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

/// One weight matrix of a linear op, as the checkpoint stores it: [out_features, in_features], rows contiguous. int8
/// and int4 weights are laid out as kernels/spec/quantized.h says.
struct LinearSegment {
  const void* weight;
  const void* bias;  ///< [out_features] or null
  DType weight_dtype;
  DType bias_dtype;
  int64_t out_features;
  const float* scales = nullptr;  ///< of an int8 or int4 weight: [out_features, groups]
  int64_t group_size = 0;         ///< weights along a row that share a scale, at least 1 when quantised
};

/// out[r, :] = concat over segments of (x[r, :] * weight^T + bias)  for r < *rows, sums in float32.
/// Several matrices with the same input (query, key, value; gate, up) are one op without being copied together. What
/// rows from *rows to capacity of `out` hold afterwards is not defined.
struct LinearArgs {
  static constexpr int32_t max_segments = 3;

  const int32_t* rows;
  int64_t capacity;  ///< the most rows a step can have; scratch is sized by it
  int64_t in_features;
  const float* x;  ///< [capacity, in_features] with x_stride elements from row to row
  int64_t x_stride;
  LinearSegment segments[max_segments];
  int32_t segment_count;
  float* out;  ///< [capacity, sum of out_features] with out_stride elements from row to row
  int64_t out_stride;
  bool accumulate;  ///< adds to what `out` holds; the segments then have no bias
  void* scratch;    ///< at least the variant's scratch_bytes, 64-byte aligned
};

}  // namespace graft::kernels
