// expert_linear, weights in float32: products in float32 too: expert_general.h.
#include "kernels/cuda/expert_general.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) {
  return expert_linear_class(*static_cast<const ExpertLinearArgs*>(args)) == ExpertLinearClass::float32;
}

void run(const void* args, const Context& context) {
  launch_expert_general<true>(*static_cast<const ExpertLinearArgs*>(args), context);
}

}  // namespace

extern const Variant kernel_cuda_expert_linear_float32_sm80;
const Variant kernel_cuda_expert_linear_float32_sm80 = {Op::expert_linear, Isa::sm80, "expert_linear.float32.sm80",
                                                        accepts,           nullptr,   run};

}  // namespace graft::kernels
