#include "kernels/spec/linear.h"

#include "kernels/spec/quantized.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    const float* x = a.x + r * a.x_stride;
    float* out = a.out + r * a.out_stride;
    for (int32_t s = 0; s < a.segment_count; ++s) {
      const LinearSegment& segment = a.segments[s];
      for (int64_t o = 0; o < segment.out_features; ++o) {
        double sum = segment.bias != nullptr ? load_float(segment.bias, o, segment.bias_dtype) : 0.0f;
        for (int64_t i = 0; i < a.in_features; ++i) {
          sum += static_cast<double>(x[i]) * load_weight(segment, a.in_features, o, i);
        }
        *out = static_cast<float>(a.accumulate ? *out + sum : sum);
        ++out;
      }
    }
  }
}

}  // namespace

extern const Variant kernel_reference_linear;
const Variant kernel_reference_linear = {Op::linear, Isa::reference, "linear.reference", nullptr, nullptr, run};

}  // namespace graft::kernels
