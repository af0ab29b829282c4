#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"
#include "kernels/spec/weights.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ConvertWeightsArgs*>(args);
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t i = 0; i < a.width; ++i) {
      const float value = load_float(a.x, r * a.row_stride + i * a.column_stride, a.x_dtype);
      store_float(a.out, r * a.width + i, a.out_dtype, value);
    }
  }
}

}  // namespace

extern const Variant kernel_reference_convert_weights;
const Variant kernel_reference_convert_weights = {
    Op::convert_weights, Isa::reference, "convert_weights.reference", nullptr, nullptr, run};

}  // namespace graft::kernels
