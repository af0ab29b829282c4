// combine_experts: a block for a row and 512 of its columns, or fewer; eight experts' rows are on the way at once.
#include "kernels/spec/combine_experts.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = combine_threads, experts_ahead = 8;

template <class T>
__device__ __forceinline__ T load(const float* from) {
  if constexpr (sizeof(T) == 16) {
    return load_float4(from);
  } else {
    return *from;
  }
}
__device__ __forceinline__ void store(float* to, float4 value) { store_float4(to, value); }
__device__ __forceinline__ void store(float* to, float value) { *to = value; }

__device__ __forceinline__ float multiply_add(float weight, float x, float sum) { return __fmaf_rn(weight, x, sum); }
__device__ __forceinline__ float4 multiply_add(float weight, float4 x, float4 sum) {
  return {__fmaf_rn(weight, x.x, sum.x), __fmaf_rn(weight, x.y, sum.y), __fmaf_rn(weight, x.z, sum.z),
          __fmaf_rn(weight, x.w, sum.w)};
}
__device__ __forceinline__ float scaled(float x, float factor) { return x * factor; }
__device__ __forceinline__ float4 scaled(float4 x, float factor) { return times(x, factor); }

/// T: float, or float4 where addresses and widths allow it.
template <class T>
__global__ void __launch_bounds__(threads) combine_kernel(const __grid_constant__ CombineExpertsArgs a, int32_t parts) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  constexpr int elements = sizeof(T) / 4;
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  const int64_t work = int64_t{*a.rows} * parts;
  for (int64_t item = blockIdx.x; item < work; item += gridDim.x) {
    const int64_t row = item / parts, place = (item % parts * threads + threadIdx.x) * elements;
    const bool inside = place < a.width;
    const int64_t column = inside ? place : 0;  // whole warps go on
    T sum = {};
    if (a.base != nullptr) {
      sum = load<T>(a.base + row * a.out_stride + column);
      if (a.base_gate != nullptr) sum = scaled(sum, 1.0f / (1.0f + expf(-a.base_gate[row])));
    }
    for (int32_t first = 0; first < a.top_k; first += experts_ahead) {
      // Each lane gets one expert's place and weight; what is left out is loaded too, from where there is something,
      // and becomes 0: no load waits for another or for a branch.
      const int32_t mine = first + lane % experts_ahead;
      const int64_t entry = row * a.top_k + min(mine, a.top_k - 1);
      const int32_t position = mine < a.top_k ? a.positions[entry] : -1;
      const float weight = a.weights != nullptr ? a.weights[entry] : 1.0f;
      T x[experts_ahead];
#pragma unroll
      for (int i = 0; i < experts_ahead; ++i) {
        x[i] = load<T>(a.x + max(__shfl_sync(all_lanes, position, i), 0) * a.x_stride + column);
      }
#pragma unroll
      for (int i = 0; i < experts_ahead; ++i) {
        const bool here = __shfl_sync(all_lanes, position, i) >= 0;
        const float factor = __shfl_sync(all_lanes, weight, i);
        sum = multiply_add(here ? factor : 0.0f, here ? x[i] : T{}, sum);
      }
    }
    if (inside) store(a.out + row * a.out_stride + column, sum);
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const CombineExpertsArgs*>(args);
  if (a.width == 0 || a.capacity == 0) return;
  const bool wide = has_quads(a.x, a.width, 4) && has_quads(a.base, a.width, 4) && has_quads(a.out, a.width, 4) &&
                    a.x_stride % 4 == 0 && a.out_stride % 4 == 0;
  launch_overlapped(wide ? &combine_kernel<float4> : &combine_kernel<float>,
                    combine_experts_plan(a.width, wide, a.capacity, multiprocessors(context)), context.stream, a,
                    static_cast<int32_t>(combine_parts(a.width, wide)));
}

}  // namespace

extern const Variant kernel_cuda_combine_experts_sm80;
const Variant kernel_cuda_combine_experts_sm80 = {
    Op::combine_experts, Isa::sm80, "combine_experts.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
