// route_experts: a warp to a row, then one block that deals the entries; for few rows all in one block.
#include "kernels/spec/route_experts.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/route_plan.h"
#include "kernels/cuda/route_row.h"
#include "kernels/cuda/route_sort.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

template <bool fused>
__global__ void __launch_bounds__(fused ? 32 * fused_route_warps : 128)
    route_kernel(const __grid_constant__ RouteExpertsArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *a.rows, warps = static_cast<int32_t>(blockDim.x / 32),
                warp = static_cast<int32_t>(threadIdx.x / 32);
  auto* keys = static_cast<uint32_t*>(dynamic_shared()) + warp * a.experts;
  for (int32_t row = static_cast<int32_t>(blockIdx.x) * warps + warp; row < rows;
       row += static_cast<int32_t>(gridDim.x) * warps) {
    RouteRow(a, row, keys);
    __syncwarp();
  }
  if constexpr (fused) {
    __syncthreads();  // ids are written, keys are read
    RouteSort(a, static_cast<int32_t*>(dynamic_shared()));
  }
}

__global__ void __launch_bounds__(32 * most_sort_warps) sort_kernel(const __grid_constant__ RouteExpertsArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  RouteSort(a, static_cast<int32_t*>(dynamic_shared()));
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RouteExpertsArgs*>(args);
  const RoutePlan plan = route_plan(a, multiprocessors(context));
  const dim3 grid = {static_cast<unsigned>(plan.route_blocks), 1, 1};
  const dim3 block = {static_cast<unsigned>(32 * plan.route_warps), 1, 1};
  if (plan.fused) {
    const int64_t bytes = plan.route_bytes > plan.sort_bytes ? plan.route_bytes : plan.sort_bytes;
    return launch_overlapped(route_kernel<true>, grid, block, bytes, context.stream, a);
  }
  launch_overlapped(route_kernel<false>, grid, block, plan.route_bytes, context.stream, a);
  launch_overlapped(sort_kernel, {1, 1, 1}, {static_cast<unsigned>(32 * plan.sort_warps), 1, 1}, plan.sort_bytes,
                    context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_route_experts_sm80;
const Variant kernel_cuda_route_experts_sm80 = {Op::route_experts, Isa::sm80, "route_experts.sm80",
                                                nullptr,           nullptr,   run};

}  // namespace graft::kernels
