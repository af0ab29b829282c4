// expert_linear, few rows for each expert, weights in bfloat16 or float16: expert_gemv.h.
#include "kernels/cuda/expert_gemv.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) {
  return expert_linear_class(*static_cast<const ExpertLinearArgs*>(args)) == ExpertLinearClass::gemv;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ExpertLinearArgs*>(args);
  if (a.segments[0].matrix.weight_dtype == DType::bfloat16) return launch_expert_gemv<DType::bfloat16>(a, context);
  launch_expert_gemv<DType::float16>(a, context);
}

}  // namespace

extern const Variant kernel_cuda_expert_linear_gemv_sm80;
const Variant kernel_cuda_expert_linear_gemv_sm80 = {Op::expert_linear, Isa::sm80, "expert_linear.gemv.sm80",
                                                     accepts,           nullptr,   run};

}  // namespace graft::kernels
