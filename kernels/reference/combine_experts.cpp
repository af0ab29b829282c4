#include "kernels/spec/combine_experts.h"

#include <math.h>

#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const CombineExpertsArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    const double factor = a.base_gate != nullptr ? 1 / (1 + exp(-static_cast<double>(a.base_gate[r]))) : 1;
    for (int64_t i = 0; i < a.width; ++i) {
      double sum = a.base != nullptr ? factor * a.base[r * a.out_stride + i] : 0;
      for (int64_t s = r * a.top_k; s < (r + 1) * a.top_k; ++s) {
        if (a.positions[s] < 0) continue;
        const double weight = a.weights != nullptr ? a.weights[s] : 1.0f;
        sum += weight * a.x[a.positions[s] * a.x_stride + i];
      }
      a.out[r * a.out_stride + i] = static_cast<float>(sum);
    }
  }
}

}  // namespace

extern const Variant kernel_reference_combine_experts;
const Variant kernel_reference_combine_experts = {
    Op::combine_experts, Isa::reference, "combine_experts.reference", nullptr, nullptr, run};

}  // namespace graft::kernels
