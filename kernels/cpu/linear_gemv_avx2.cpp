// linear for steps of at most eight rows: see linear_dot_avx2.h.
#include "kernels/cpu/linear_dot_avx2.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

bool accepts(const void* args) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  return a.capacity <= dot_rows_limit && linear_types_accepted(a);
}

void run(const void* args, const Context& context) { run_linear_dot(*static_cast<const LinearArgs*>(args), context); }

}  // namespace

extern const Variant kernel_cpu_linear_gemv_avx2;
const Variant kernel_cpu_linear_gemv_avx2 = {Op::linear, Isa::avx2, "linear.gemv.avx2", accepts, nullptr, run};

}  // namespace graft::kernels
