#include "kernels/spec/convert.h"
#include "kernels/spec/quantized.h"
#include "kernels/spec/variant.h"
#include "kernels/spec/weights.h"

namespace graft::kernels {
namespace {

float weight(const QuantizeGroupsArgs& a, int64_t row, int64_t index) {
  const float stored = load_float(a.x, row * a.row_stride + index * a.column_stride, a.x_dtype);
  float rounded = 0;
  store_float(&rounded, 0, a.via, stored);
  return load_float(&rounded, 0, a.via);
}

void quantize_group(const QuantizeGroupsArgs& a, int64_t row, int64_t begin, int64_t end, float& scale) {
  float largest = 0;
  for (int64_t i = begin; i < end; ++i) {
    const float magnitude = __builtin_fabsf(weight(a, row, i));
    if (!__builtin_isfinite(magnitude)) *a.unfit = a.number;
    if (magnitude > largest) largest = magnitude;
  }
  const float half_range = a.out_dtype == DType::int4 ? 8 : 128;
  scale = largest / half_range;
  auto* out = static_cast<unsigned char*>(a.out) + row * quantized_row_bytes(a.width, a.out_dtype);
  for (int64_t i = begin; i < end; ++i) {
    float value = scale == 0 ? 0 : __builtin_nearbyintf(weight(a, row, i) / scale);
    if (!(value >= -half_range)) value = -half_range;
    if (value > half_range - 1) value = half_range - 1;
    const auto integer = static_cast<int32_t>(value);
    if (a.out_dtype == DType::int8) {
      out[i] = static_cast<unsigned char>(integer);
    } else {
      const auto nibble = static_cast<unsigned>(integer + 8);
      out[i / 2] = static_cast<unsigned char>(i % 2 == 0 ? nibble | 8u << 4 : (out[i / 2] & 15u) | nibble << 4);
    }
  }
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const QuantizeGroupsArgs*>(args);
  const int64_t groups = quantized_groups(a.width, a.group_size);
  for (int64_t row = 0; row < a.rows; ++row) {
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = g * a.group_size;
      const int64_t end = a.width - begin > a.group_size ? begin + a.group_size : a.width;
      quantize_group(a, row, begin, end, a.scales[row * groups + g]);
    }
  }
}

}  // namespace

extern const Variant kernel_reference_quantize_groups;
const Variant kernel_reference_quantize_groups = {
    Op::quantize_groups, Isa::reference, "quantize_groups.reference", nullptr, nullptr, run};

}  // namespace graft::kernels
