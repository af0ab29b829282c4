// gather_rows: whole-row copies, one block to a row at a time, 16 bytes to a thread where width and addresses allow it.
#include "kernels/spec/gather_rows.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = gather_threads;

template <bool wide>
__global__ void __launch_bounds__(threads) gather_kernel(GatherRowsArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const auto rows = static_cast<uint32_t>(*a.rows);
  for (uint32_t r = blockIdx.x; r < rows; r += gridDim.x) {  // unsigned: rows + gridDim.x may be more than 2^31
    const float* from = a.x + a.indices[r] * a.width;
    float* to = a.out + r * a.width;
    constexpr int64_t step = wide ? 4 : 1;
#pragma unroll 4  // loads in flight
    for (int64_t i = step * threadIdx.x; i < a.width; i += step * threads) {
      if constexpr (wide) {
        store_float4(to + i, load_float4(from + i));
      } else {
        to[i] = from[i];
      }
    }
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const GatherRowsArgs*>(args);
  const bool wide = has_quads(a.x, a.width, 4) && has_quads(a.out, a.width, 4);
  launch_overlapped(wide ? &gather_kernel<true> : &gather_kernel<false>,
                    gather_rows_plan(a.capacity, multiprocessors(context)), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_gather_rows_sm80;
const Variant kernel_cuda_gather_rows_sm80 = {Op::gather_rows, Isa::sm80, "gather_rows.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
