#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

enum class NormKind : int32_t { layer = 0, rms = 1 };

/// For each row r < *rows:
///   residual[r] += delta[r] + delta_bias          (each part may be absent)
///   out[r] = norm(residual[r]) * (weight_offset + weight) + bias     (skipped when out is null)
/// Layer norm: biased variance around the mean; RMS norm (Zhang and Sennrich 2019): mean of squares. Sums in float32
/// or wider. `weight` null means ones.
struct ResidualNormArgs {
  const int32_t* rows;
  int64_t capacity = 0;  ///< the most rows that a step can have, where that is known: no more blocks than it needs
  int64_t width;
  float* residual;         ///< [capacity, width], updated in place when delta is given
  const float* delta;      ///< [capacity, width] or null
  const void* delta_bias;  ///< [width] of delta_bias_dtype or null (a row-parallel linear's bias, after the all-reduce)
  DType delta_bias_dtype;
  NormKind kind;
  const void* weight;  ///< [width] of weight_dtype or null
  const void* bias;    ///< [width] of weight_dtype or null
  DType weight_dtype;
  float weight_offset;  ///< 0, or 1 for the families that store weight - 1
  float epsilon;
  float* out;  ///< [capacity, width] or null; may be `residual`: then the norm is what goes on (post-norm layers)
};

}  // namespace graft::kernels
