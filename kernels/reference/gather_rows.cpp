#include "kernels/spec/gather_rows.h"

#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const GatherRowsArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    for (int64_t i = 0; i < a.width; ++i) a.out[r * a.width + i] = a.x[a.indices[r] * a.width + i];
  }
}

}  // namespace

extern const Variant kernel_reference_gather_rows;
const Variant kernel_reference_gather_rows = {Op::gather_rows, Isa::reference, "gather_rows.reference",
                                              nullptr,         nullptr,        run};

}  // namespace graft::kernels
