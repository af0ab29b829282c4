// linear, more than 8 rows, weights in int8 or int4: linear_gemm.h.
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_gemm.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) { return is_linear_class(args, LinearClass::gemm_quantized); }

int64_t scratch_bytes(const void* args, int32_t workers) {
  return gemm_plan(*static_cast<const LinearArgs*>(args), workers).scratch_bytes;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  if (a.segments[0].weight_dtype == DType::int8) return launch_gemm<DType::int8>(a, context);
  launch_gemm<DType::int4>(a, context);
}

}  // namespace

extern const Variant kernel_cuda_linear_gemm_quantized_sm80;
const Variant kernel_cuda_linear_gemm_quantized_sm80 = {Op::linear, Isa::sm80,     "linear.gemm.quantized.sm80",
                                                        accepts,    scratch_bytes, run};

}  // namespace graft::kernels
