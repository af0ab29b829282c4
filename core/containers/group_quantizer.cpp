#include "core/containers/group_quantizer.h"

#include <algorithm>
#include <cmath>

#include "core/base/status.h"

namespace graft {

float quantize_group(const float* values, int64_t count, int64_t bits, int8_t* quantized, std::string_view tensor) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) {
      fail(StatusCode::corrupt_data, "quantisation: tensor '{}' holds {}, expected finite numbers", tensor, values[i]);
    }
    largest = std::max(largest, std::abs(values[i]));
  }
  const auto half_range = static_cast<float>(int64_t{1} << (bits - 1));
  const float scale = largest / half_range;  // 2 * largest / 2^bits without overflow
  if (scale == 0) {                          // all zeros, or too small for any scale
    std::fill_n(quantized, count, int8_t{0});
    return 0;
  }
  for (int64_t i = 0; i < count; ++i) {
    const float rounded = std::nearbyint(values[i] / scale);  // the default mode: halves to even
    quantized[i] = static_cast<int8_t>(std::clamp(rounded, -half_range, half_range - 1));
  }
  return scale;
}

void quantize_groups(const float* values, int64_t count, int64_t groups, int64_t bits, int8_t* quantized, float* scales,
                     std::string_view tensor) {
  if (bits != 8 && bits != 4) {
    fail(StatusCode::invalid_argument, "quantisation: tensor '{}': {} bits, expected 8 or 4", tensor, bits);
  }
  if (groups < 1 || count % groups != 0) {
    fail(StatusCode::invalid_argument, "quantisation: tensor '{}': {} groups, expected a divisor of {} elements",
         tensor, groups, count);
  }
  const int64_t size = count / groups;
  for (int64_t g = 0; g < groups; ++g) {
    scales[g] = quantize_group(values + g * size, size, bits, quantized + g * size, tensor);
  }
}

int64_t groups_of_row(int64_t width, int64_t group_size) {
  return width / group_size + (width % group_size != 0 ? 1 : 0);
}

void quantize_row(const float* row, int64_t width, int64_t group_size, int64_t bits, int8_t* quantized, float* scales,
                  std::string_view tensor) {
  for (int64_t begin = 0; begin < width; begin += group_size) {
    const int64_t count = std::min(group_size, width - begin);
    *scales++ = quantize_group(row + begin, count, bits, quantized + begin, tensor);
  }
}

void pack_int4(const int8_t* quantized, int64_t count, uint8_t* packed) {
  const auto nibble = [&](int64_t i) { return static_cast<unsigned>(i < count ? quantized[i] + 8 : 8); };
  for (int64_t i = 0; i < count; i += 2) packed[i / 2] = static_cast<uint8_t>(nibble(i) | nibble(i + 1) << 4);
}

}  // namespace graft
