#include "kernels/spec/residual_norm.h"

#include <math.h>

#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ResidualNormArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    float* residual = a.residual + r * a.width;
    for (int64_t i = 0; i < a.width; ++i) {
      if (a.delta != nullptr) residual[i] += a.delta[r * a.width + i];
      if (a.delta_bias != nullptr) residual[i] += load_float(a.delta_bias, i, a.delta_bias_dtype);
    }
    if (a.out == nullptr) continue;

    double mean = 0;
    if (a.kind == NormKind::layer) {
      for (int64_t i = 0; i < a.width; ++i) mean += residual[i];
      mean /= static_cast<double>(a.width);
    }
    double square = 0;
    for (int64_t i = 0; i < a.width; ++i) square += (residual[i] - mean) * (residual[i] - mean);
    const double inverse = 1.0 / sqrt(square / static_cast<double>(a.width) + a.epsilon);

    for (int64_t i = 0; i < a.width; ++i) {
      double value = (residual[i] - mean) * inverse;
      if (a.weight != nullptr) value *= a.weight_offset + load_float(a.weight, i, a.weight_dtype);
      if (a.bias != nullptr) value += load_float(a.bias, i, a.weight_dtype);
      a.out[r * a.width + i] = static_cast<float>(value);
    }
  }
}

}  // namespace

extern const Variant kernel_reference_residual_norm;
const Variant kernel_reference_residual_norm = {Op::residual_norm, Isa::reference, "residual_norm.reference",
                                                nullptr,           nullptr,        run};

}  // namespace graft::kernels
