#include "kernels/spec/expert_linear.h"

#include "kernels/spec/quantized.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void multiply(const ExpertLinearArgs& a, int64_t expert, int32_t position) {
  const int32_t entry = a.entries != nullptr ? a.entries[position] : 0;
  const float* x = a.x + (a.entries != nullptr ? entry / a.top_k : position) * a.x_stride;
  const double scale = a.entry_scales != nullptr ? a.entry_scales[entry] : 1.0f;
  float* out = a.out + position * a.out_stride;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const LinearSegment& matrix = a.segments[s].matrix;
    for (int64_t o = 0; o < matrix.out_features; ++o) {
      const int64_t row = expert * a.segments[s].expert_rows + o * a.segments[s].row_step;
      double sum = 0;
      for (int64_t i = 0; i < a.in_features; ++i) {
        sum += static_cast<double>(x[i]) * load_weight(matrix, a.in_features, row, i);
      }
      sum *= scale;
      if (matrix.bias != nullptr) sum += load_float(matrix.bias, row, matrix.bias_dtype);
      *out++ = static_cast<float>(sum);
    }
  }
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ExpertLinearArgs*>(args);
  for (int64_t e = 0; e < a.experts; ++e) {
    for (int32_t p = a.offsets[e]; p < a.offsets[e + 1]; ++p) multiply(a, e, p);
  }
}

}  // namespace

extern const Variant kernel_reference_expert_linear;
const Variant kernel_reference_expert_linear = {Op::expert_linear, Isa::reference, "expert_linear.reference",
                                                nullptr,           nullptr,        run};

}  // namespace graft::kernels
