// Quantised weights as kernels read them. A row of in_features weights begins on a byte of its own:
//   int8: one signed byte each;
//   int4: two to a byte, the even index in the low four bits, each stored as value + 8 (0 to 15 for -8 to 7). The last
//         high half of an odd row is padding.
// Weight i of row o is value * scales[o, i / group_size], rounded to float32; scales are [out_features, groups] with
// groups = in_features / group_size rounded up. Internal linkage and no intrinsics, as in convert.h.
#pragma once

#include "kernels/spec/convert.h"
#include "kernels/spec/linear.h"

namespace graft::kernels {

static inline bool is_quantized(DType dtype) { return dtype == DType::int8 || dtype == DType::int4; }

/// Bytes of one row of quantised weights.
static inline int64_t quantized_row_bytes(int64_t in_features, DType dtype) {
  return dtype == DType::int4 ? (in_features + 1) / 2 : in_features;
}

/// Scales of one row. group_size is at least 1.
static inline int64_t quantized_groups(int64_t in_features, int64_t group_size) {
  return in_features / group_size + (in_features % group_size != 0 ? 1 : 0);
}

/// The integer at `index` of a row.
static inline int32_t load_quantized(const void* row, int64_t index, DType dtype) {
  if (dtype == DType::int8) return static_cast<const signed char*>(row)[index];
  const unsigned byte = static_cast<const unsigned char*>(row)[index / 2];
  return static_cast<int32_t>(index % 2 == 0 ? byte & 15u : byte >> 4) - 8;
}

/// Weight [row, index] of a segment of any type, as float32.
static inline float load_weight(const LinearSegment& segment, int64_t in_features, int64_t row, int64_t index) {
  if (!is_quantized(segment.weight_dtype)) {
    return load_float(segment.weight, row * in_features + index, segment.weight_dtype);
  }
  const auto* bytes = static_cast<const unsigned char*>(segment.weight);
  const float scale =
      segment.scales[row * quantized_groups(in_features, segment.group_size) + index / segment.group_size];
  const void* begin = bytes + row * quantized_row_bytes(in_features, segment.weight_dtype);
  return static_cast<float>(load_quantized(begin, index, segment.weight_dtype)) * scale;
}

}  // namespace graft::kernels
