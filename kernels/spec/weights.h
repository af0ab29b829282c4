// What loading does to weights where they will be read: other types, other order, integers. Unlike in the ops of a step
// all counts are known when the work is given.
#pragma once

#include <cstdint>

#include "kernels/spec/dtype.h"

namespace graft::kernels {

/// out[r, i] = x[r, i] for r < rows, i < width, by way of float32 and rounded to nearest even.
struct ConvertWeightsArgs {
  int64_t rows;
  int64_t width;
  const void* x;          ///< [r, i] is element r * row_stride + i * column_stride
  int64_t row_stride;     ///< in elements, as all strides
  int64_t column_stride;  ///< 1, or of a matrix that is transposed on the way
  DType x_dtype;          ///< this and out_dtype: float32, bfloat16 or float16
  DType out_dtype;
  void* out;  ///< [rows, width]
};

/// Rows of weights to integers as kernels/spec/quantized.h lays them out, DeepSpeed's group quantiser: for every group
///   scale = max |x| / 2^(bits - 1),  q = clamp(round_half_even(x / scale), -2^(bits - 1), 2^(bits - 1) - 1),
/// x rounded to `via` before; all 0 where the scale is 0.
struct QuantizeGroupsArgs {
  int64_t rows;
  int64_t width;  ///< at most 2^31 - 1
  const void* x;
  int64_t row_stride;
  int64_t column_stride;
  DType x_dtype;
  DType via;           ///< the type that the weights have where they are not quantised
  int64_t group_size;  ///< at least 1; the last group of a row may be shorter
  DType out_dtype;     ///< int8 or int4
  void* out;           ///< [rows, quantized_row_bytes]
  float* scales;       ///< [rows, quantized_groups]
  int32_t number;      ///< what is written to *unfit where an x is no finite number
  int32_t* unfit;
};

}  // namespace graft::kernels
