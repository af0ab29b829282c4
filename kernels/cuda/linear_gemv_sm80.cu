// linear, up to 8 rows, weights in bfloat16 or float16: linear_gemv.h.
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_gemv.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) { return is_linear_class(args, LinearClass::gemv); }

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  if (a.segments[0].weight_dtype == DType::bfloat16) return launch_gemv<DType::bfloat16>(a, context);
  launch_gemv<DType::float16>(a, context);
}

}  // namespace

extern const Variant kernel_cuda_linear_gemv_sm80;
const Variant kernel_cuda_linear_gemv_sm80 = {Op::linear, Isa::sm80, "linear.gemv.sm80", accepts, nullptr, run};

}  // namespace graft::kernels
