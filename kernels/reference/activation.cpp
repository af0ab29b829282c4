#include "kernels/spec/activation.h"

#include <math.h>

#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

double activate(Activation kind, double x) {
  switch (kind) {
    case Activation::gelu:
      return 0.5 * x * (1.0 + erf(x * 0.70710678118654752440));
    case Activation::gelu_tanh:
      return 0.5 * x * (1.0 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return x < 0 ? 0 : x;
    case Activation::silu:
      return x / (1.0 + exp(-x));
    case Activation::quick_gelu:
      return x / (1.0 + exp(-1.702 * x));
    case Activation::tanh:
      return tanh(x);
  }
  return x;
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ActivationArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    const float* x = a.x + r * a.x_stride;
    for (int64_t i = 0; i < a.width; ++i) {
      const double value = activate(a.kind, x[i]);
      a.out[r * a.out_stride + i] = static_cast<float>(a.gated ? value * x[a.width + i] : value);
    }
  }
}

}  // namespace

extern const Variant kernel_reference_activation;
const Variant kernel_reference_activation = {Op::activation, Isa::reference, "activation.reference",
                                             nullptr,        nullptr,        run};

}  // namespace graft::kernels
