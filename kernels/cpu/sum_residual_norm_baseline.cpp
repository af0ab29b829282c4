// The reference's exchange with the norm of the processor: ranks on the CPU add up otherwise; this is for devices of
// host memory, whose answers are then those of the CPU's own ranks, bit for bit.
#include "kernels/spec/sum_residual_norm.h"

#include "kernels/cpu/select.h"

namespace graft::kernels {

extern const Variant kernel_reference_sum_residual_norm;

namespace {

bool accepts(const void* args) {
  const auto& a = *static_cast<const SumResidualNormArgs*>(args);
  return exchange_holds(a.norm, a.peers);
}

void run(const void* args, const Context& context) {
  SumResidualNormArgs a = *static_cast<const SumResidualNormArgs*>(args);
  float* out = a.norm.out;
  a.norm.out = nullptr;
  kernel_reference_sum_residual_norm.run(&a, context);
  if (out == nullptr) return;
  a.norm.out = out;
  a.norm.delta = nullptr;
  a.norm.delta_bias = nullptr;
  select(Op::residual_norm, &a.norm)->run(&a.norm, context);
}

}  // namespace

extern const Variant kernel_cpu_sum_residual_norm_baseline;
const Variant kernel_cpu_sum_residual_norm_baseline = {
    Op::sum_residual_norm, Isa::baseline, "sum_residual_norm.baseline", accepts, nullptr, run};

}  // namespace graft::kernels
