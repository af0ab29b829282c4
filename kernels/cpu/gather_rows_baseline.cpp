// Whole-row copies by the C library, which picks its own instructions.
#include "kernels/spec/gather_rows.h"

#include <string.h>

#include "kernels/cpu/parallel.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const GatherRowsArgs*>(args);
  const int64_t grain = 1 + 65536 / (a.width + 1);
  for_each_range(context, *a.rows, grain, [&](int64_t begin, int64_t end, int32_t) {
    for (int64_t r = begin; r < end; ++r) {
      memcpy(a.out + r * a.width, a.x + a.indices[r] * a.width, static_cast<size_t>(a.width) * sizeof(float));
    }
  });
}

}  // namespace

extern const Variant kernel_cpu_gather_rows_baseline;
const Variant kernel_cpu_gather_rows_baseline = {Op::gather_rows, Isa::baseline, "gather_rows.baseline",
                                                 nullptr,         nullptr,       run};

}  // namespace graft::kernels
