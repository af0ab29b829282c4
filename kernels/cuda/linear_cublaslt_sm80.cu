// linear, more than 8 rows, weights in bfloat16 or float16, where the process has cuBLASLt: linear_cublaslt.h.
#include "kernels/cuda/linear_cublaslt.h"

namespace graft::kernels {

extern const Variant kernel_cuda_linear_gemm_sm80;

namespace {

using namespace cuda;

bool accepts(const void* args) { return is_linear_class(args, LinearClass::cublaslt); }

int64_t scratch_bytes(const void* args, int32_t workers) {
  return cublaslt_scratch_bytes(kernel_cuda_linear_gemm_sm80, args, workers);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const CublasLtLinear linear(a, context);
  const auto product = [&](int32_t s) {
    return linear.product(s, a.segments[s].weight, 0, a.segments[s].out_features);
  };
  for (int32_t s = 0; s < a.segment_count; ++s) {
    if (a.segments[s].out_features < 1 || linear.serves(product(s))) continue;
    return kernel_cuda_linear_gemm_sm80.run(args, context);
  }
  linear.give_x();
  for (int32_t s = 0; s < a.segment_count; ++s) {
    if (a.segments[s].out_features < 1) continue;
    linear.give(product(s));
    linear.give_bias(s);
  }
}

}  // namespace

extern const Variant kernel_cuda_linear_cublaslt_sm80;
const Variant kernel_cuda_linear_cublaslt_sm80 = {Op::linear, Isa::sm80,     "linear.cublaslt.sm80",
                                                  accepts,    scratch_bytes, run};

}  // namespace graft::kernels
