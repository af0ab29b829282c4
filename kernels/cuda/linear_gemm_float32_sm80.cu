// linear, more than 8 rows, weights in float32: products in float32 too, so no tensor cores. A block makes 64 x 64
// outputs from stages of 32 depth in shared memory, each thread 4 x 4 of them, 16 apart: then a warp's 16-byte reads of
// the weights fall on different banks, and those of x are the same for half a warp.
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_gemm.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int tile = 64, each = 4, apart = tile / each, threads = apart * apart, stages_ahead = 2;
constexpr int stride = gemm_depth + 4;  // floats of a row
constexpr int stage_floats = 2 * tile * stride;
constexpr int64_t shared_bytes = (stages_ahead + 1) * stage_floats * 4;
static_assert(shared_bytes <= least_shared_limit);

/// 64 rows of a matrix, from `from` on, to shared memory; rows from `exist` and depth from `to` on become zeros.
__device__ __forceinline__ void fetch_rows(float* shared, const float* rows, int64_t row_stride, int32_t exist,
                                           int32_t from, int32_t to) {
  constexpr int pieces = gemm_depth / 4;
#pragma unroll
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < tile * pieces; i += threads) {
    const int32_t row = i / pieces, k = i % pieces * 4;
    const bool inside = row < exist && from + k < to;
    copy_async_16(shared + row * stride + k, inside ? rows + row * row_stride + from + k : rows, inside ? 16 : 0);
  }
}

__device__ __forceinline__ void multiply(const float* stage, float (&sums)[each][each]) {
  const float* x = stage + threadIdx.x / apart * stride;
  const float* weights = stage + (tile + threadIdx.x % apart) * stride;
#pragma unroll
  for (int k = 0; k < gemm_depth; k += 4) {
    float4 w[each];
#pragma unroll
    for (int n = 0; n < each; ++n) w[n] = load_float4(weights + n * apart * stride + k);
#pragma unroll
    for (int m = 0; m < each; ++m) {
      const float4 v = load_float4(x + m * apart * stride + k);
#pragma unroll
      for (int n = 0; n < each; ++n) {
        sums[m][n] = __fmaf_rn(v.x, w[n].x, sums[m][n]);
        sums[m][n] = __fmaf_rn(v.y, w[n].y, sums[m][n]);
        sums[m][n] = __fmaf_rn(v.z, w[n].z, sums[m][n]);
        sums[m][n] = __fmaf_rn(v.w, w[n].w, sums[m][n]);
      }
    }
  }
}

__global__ void __launch_bounds__(threads, 2)
    gemm_float32_kernel(const __grid_constant__ LinearArgs a, const __grid_constant__ GemmPlan plan,
                        int64_t all_outputs) {
  let_next_kernel_start();
  const GemmPlace at = gemm_place(a, plan);
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  if (at.first_row >= rows) return;
  auto* shared = static_cast<float*>(dynamic_shared());
  const float* x = a.x + at.first_row * a.x_stride;
  const float* weights = static_cast<const float*>(a.segments[at.segment].weight) + at.first_output * a.in_features;
  const int32_t stages = (at.to - at.from + gemm_depth - 1) / gemm_depth;
  const auto fetch = [&](int32_t s) {
    if (s < stages) {
      float* to = shared + s % (stages_ahead + 1) * stage_floats;
      const int32_t from = at.from + s * gemm_depth;
      fetch_rows(to, x, a.x_stride, static_cast<int32_t>(rows - at.first_row), from, at.to);
      fetch_rows(to + tile * stride, weights, a.in_features, at.outputs - at.first_output, from, at.to);
    }
    copy_async_commit();  // always, so that waits can count
  };
  float sums[each][each] = {};
  for (int32_t s = 0; s < stages_ahead; ++s) fetch(s);
  for (int32_t s = 0; s < stages; ++s) {
    copy_async_wait<stages_ahead - 1>();
    __syncthreads();  // stage s is there for all, and all have done with the one that is overwritten next
    fetch(s + stages_ahead);
    multiply(shared + s % (stages_ahead + 1) * stage_floats, sums);
  }
  copy_async_wait<0>();
  const GemmOutput out(a, plan, at, all_outputs);
#pragma unroll
  for (int n = 0; n < each; ++n) {
    const auto output = static_cast<int32_t>(at.first_output + threadIdx.x % apart + n * apart);
    if (output >= at.outputs) continue;
    const float bias = out.bias_of(output);
#pragma unroll
    for (int m = 0; m < each; ++m) {
      const int64_t row = at.first_row + threadIdx.x / apart + m * apart;
      if (row < rows) out.store(row, output, sums[m][n] + bias);
    }
  }
}

bool accepts(const void* args) { return is_linear_class(args, LinearClass::gemm_float32); }

int64_t scratch_bytes(const void* args, int32_t workers) {
  return gemm_float32_plan(*static_cast<const LinearArgs*>(args), workers).scratch_bytes;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const GemmPlan plan = gemm_float32_plan(a, multiprocessors(context));
  if (plan.column_tiles == 0) return;
  launch_overlapped(gemm_float32_kernel, gemm_blocks(plan, threads, shared_bytes), context.stream, a, plan,
                    out_features(a));
  launch_add_splits(a, plan, context);
}

}  // namespace

extern const Variant kernel_cuda_linear_gemm_float32_sm80;
const Variant kernel_cuda_linear_gemm_float32_sm80 = {Op::linear, Isa::sm80,     "linear.gemm.float32.sm80",
                                                      accepts,    scratch_bytes, run};

}  // namespace graft::kernels
