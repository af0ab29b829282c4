// gather_rows: whole-row copies, one block to a row at a time, 16 bytes to a thread where width and addresses allow it.
#include "kernels/spec/gather_rows.h"

#include "kernels/cuda/launch.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = 256;

// `width` counts elements of type Vector.
template <class Vector>
__global__ void __launch_bounds__(threads) gather_kernel(GatherRowsArgs a, int32_t width) {
  wait_for_previous_kernel();
  let_next_kernel_start();
  const int32_t rows = *a.rows;
  for (int32_t r = static_cast<int32_t>(blockIdx.x); r < rows; r += static_cast<int32_t>(gridDim.x)) {
    const Vector* from = reinterpret_cast<const Vector*>(a.x) + a.indices[r] * width;
    Vector* to = reinterpret_cast<Vector*>(a.out) + r * width;
#pragma unroll 4  // loads in flight
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < width; i += threads) to[i] = from[i];
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const GatherRowsArgs*>(args);
  const auto addresses = reinterpret_cast<uintptr_t>(a.x) | reinterpret_cast<uintptr_t>(a.out);
  const dim3 grid(grid_for(1024, multiprocessors(context)));
  if (a.width % 4 == 0 && addresses % sizeof(float4) == 0) {
    launch_overlapped(gather_kernel<float4>, grid, dim3(threads), 0, context.stream, a,
                      static_cast<int32_t>(a.width / 4));
  } else {
    launch_overlapped(gather_kernel<float>, grid, dim3(threads), 0, context.stream, a, static_cast<int32_t>(a.width));
  }
}

}  // namespace

extern const Variant kernel_cuda_gather_rows_sm80;
const Variant kernel_cuda_gather_rows_sm80 = {Op::gather_rows, Isa::sm80, "gather_rows.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
