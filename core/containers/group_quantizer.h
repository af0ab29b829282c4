// DeepSpeed's GroupQuantizer, exactly: symmetric integers, one float32 scale to a group. For every group
//   scale = 2 * max |x| / 2^bits,  q = clamp(round_half_even(x / scale), -2^(bits-1), 2^(bits-1) - 1),
// no zero point, no epsilon; x is about q * scale. DeepSpeed divides by zero in a group of zeros: here its scale and
// its integers are 0. Plain functions for any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace graft {

/// One group of `count` values to as many integers; returns the scale. `bits` is 8 or 4. A value that is no finite
/// number throws CORRUPT_DATA naming the tensor.
float quantize_group(const float* values, int64_t count, int64_t bits, int8_t* quantized, std::string_view tensor);

/// A flat tensor of `count` values as `groups` equal groups, DeepSpeed's view [groups, count / groups]: `quantized`
/// takes count integers, `scales` one of each group. Throws INVALID_ARGUMENT for bits other than 8 and 4 or when
/// groups does not divide count.
void quantize_groups(const float* values, int64_t count, int64_t groups, int64_t bits, int8_t* quantized, float* scales,
                     std::string_view tensor);

/// Scales of a row of `width` weights in groups of `group_size`, the last one shorter where it does not divide.
int64_t groups_of_row(int64_t width, int64_t group_size);

/// One row of a weight matrix, group by group: `width` integers and groups_of_row() scales.
void quantize_row(const float* row, int64_t width, int64_t group_size, int64_t bits, int8_t* quantized, float* scales,
                  std::string_view tensor);

/// Packs integers of [-8, 7] two to a byte as kernels/spec/quantized.h says: (count + 1) / 2 bytes.
void pack_int4(const int8_t* quantized, int64_t count, uint8_t* packed);

}  // namespace graft
