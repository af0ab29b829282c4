#include "kernels/spec/embedding.h"

#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const EmbeddingArgs*>(args);
  for (int64_t t = 0; t < *a.rows; ++t) {
    for (int64_t i = 0; i < a.width; ++i) {
      float value = load_float(a.table, a.ids[t] * a.width + i, a.dtype) * a.scale;
      if (a.type_table != nullptr) value += load_float(a.type_table, a.types[t] * a.width + i, a.type_dtype);
      if (a.position_table != nullptr) {
        const int64_t position = a.positions[t] + a.position_offset;
        value += load_float(a.position_table, position * a.width + i, a.position_dtype);
      }
      a.out[t * a.width + i] = value;
    }
  }
}

}  // namespace

extern const Variant kernel_reference_embedding;
const Variant kernel_reference_embedding = {Op::embedding, Isa::reference, "embedding.reference",
                                            nullptr,       nullptr,        run};

}  // namespace graft::kernels
