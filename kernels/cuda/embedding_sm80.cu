// embedding: the wanted rows of up to three tables, four elements to a thread where widths and addresses allow it.
#include "kernels/spec/embedding.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = embedding_threads;

template <bool wide>
__global__ void __launch_bounds__(threads) embed(EmbeddingArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  constexpr int step = wide ? 4 : 1;
  const int64_t per_row = a.width / step, count = *a.rows * per_row, stride = int64_t{gridDim.x} * threads;
  for (int64_t piece = int64_t{blockIdx.x} * threads + threadIdx.x; piece < count; piece += stride) {
    const int64_t t = piece / per_row, i = (piece - t * per_row) * step;
    const int64_t token = a.ids[t] * a.width + i;
    const int64_t type = a.type_table != nullptr ? a.types[t] * a.width + i : 0;
    const int64_t position = a.position_table != nullptr ? (a.positions[t] + a.position_offset) * a.width + i : 0;
    if constexpr (wide) {
      float4 value = times(load_four(a.table, token, a.dtype), a.scale);
      if (a.type_table != nullptr) value = plus(value, load_four(a.type_table, type, a.type_dtype));
      if (a.position_table != nullptr) value = plus(value, load_four(a.position_table, position, a.position_dtype));
      store_float4(a.out + t * a.width + i, value);
    } else {
      float value = load_element(a.table, token, a.dtype) * a.scale;
      if (a.type_table != nullptr) value += load_element(a.type_table, type, a.type_dtype);
      if (a.position_table != nullptr) value += load_element(a.position_table, position, a.position_dtype);
      a.out[t * a.width + i] = value;
    }
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const EmbeddingArgs*>(args);
  const auto quads = [&](const void* table, DType dtype) {
    return has_quads(table, a.width, float_dtype_bytes(dtype));
  };
  const bool wide = has_quads(a.out, a.width, 4) && quads(a.table, a.dtype) && quads(a.type_table, a.type_dtype) &&
                    quads(a.position_table, a.position_dtype);
  launch_overlapped(wide ? &embed<true> : &embed<false>,
                    embedding_plan(a.width, wide, a.capacity, multiprocessors(context)), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_embedding_sm80;
const Variant kernel_cuda_embedding_sm80 = {Op::embedding, Isa::sm80, "embedding.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
