// One weight of any type, for the kernels that take everything.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/plan.h"
#include "kernels/spec/linear.h"

namespace graft::kernels::cuda {

/// Weight [row, i] of a segment: as load_weight of kernels/spec/quantized.h.
__device__ __forceinline__ float weight_at(const LinearSegment& segment, int64_t in_features, int64_t row, int64_t i) {
  const DType dtype = segment.weight_dtype;
  if (dtype != DType::int8 && dtype != DType::int4) return load_element(segment.weight, row * in_features + i, dtype);
  const float scale = segment.scales[row * divide_up(in_features, segment.group_size) + i / segment.group_size];
  if (dtype == DType::int8) {
    return static_cast<float>(static_cast<const signed char*>(segment.weight)[row * in_features + i]) * scale;
  }
  const unsigned byte = static_cast<const unsigned char*>(segment.weight)[row * ((in_features + 1) / 2) + i / 2];
  return static_cast<float>(static_cast<int>(i % 2 == 0 ? byte & 15u : byte >> 4) - 8) * scale;
}

}  // namespace graft::kernels::cuda
