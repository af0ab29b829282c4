// linear, up to 8 rows, weights in int8 or int4: linear_gemv.h.
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_gemv.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) { return is_linear_class(args, LinearClass::gemv_quantized); }

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  if (a.segments[0].weight_dtype == DType::int8) return launch_gemv<DType::int8>(a, context);
  launch_gemv<DType::int4>(a, context);
}

}  // namespace

extern const Variant kernel_cuda_linear_gemv_quantized_sm80;
const Variant kernel_cuda_linear_gemv_quantized_sm80 = {Op::linear, Isa::sm80, "linear.gemv.quantized.sm80",
                                                        accepts,    nullptr,   run};

}  // namespace graft::kernels
