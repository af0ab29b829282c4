// linear, up to 8 rows, weights in float32: linear_gemv.h has the other types.
//
// One block of 12 warps lives on each multiprocessor and takes batches of output groups (linear_plan.h). A warp reads
// four rows of the weights side by side, two steps ahead, past L1; rows of x wait in shared memory. The first weights
// are asked for before the kernel in front has ended. Sums are float32 in an order that depends on the shape alone.
#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_gemv_plan.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int warps_of_block = gemv_float32_warps, outputs_of_group = gemv_float32_outputs;
constexpr int threads = 32 * warps_of_block;
constexpr int ahead = 2;  ///< steps of weights that are in flight

/// Where a warp reads: batch after batch, step after step.
struct Cursor {
  int32_t batch;
  int32_t step;
  bool valid;
  int32_t last;  ///< rows of the weights after the first that exist, at most outputs_of_group - 1
  const float* weights;
};

class Gemv {
 public:
  __device__ __forceinline__ Gemv(const LinearArgs& args, const GemvPlan& plan)
      : a(args),
        p(plan),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        depth(static_cast<int32_t>(args.in_features)),
        steps(static_cast<int32_t>(divide_up(args.in_features, gemv_float32_step * plan.split))) {
    begin(static_cast<int32_t>(blockIdx.x));
    fetch<0>();
    fetch<1>();
  }

  /// All batches of this block. Every thread calls it.
  template <int Rows>
  __device__ __forceinline__ void run(int32_t rows) {
    const int32_t fit = static_cast<int32_t>(p.x_bytes / (4 * Rows * gemv_float32_step * p.split));
    const int32_t tile = fit < steps ? fit : steps;  // steps of x that are in shared memory
    if (tile == steps) stage<Rows>(rows, 0, tile);
    Progress at = {static_cast<int32_t>(blockIdx.x), 0, 0, 0};
    float sums[outputs_of_group * Rows] = {};
    // Registers are not indexed: each set of weights in flight has its own copy of the code.
    while (take<Rows, 0>(rows, tile, at, sums) && take<Rows, 1>(rows, tile, at, sums)) {
    }
  }

 private:
  struct Progress {
    int32_t batch;
    int32_t step, in_tile, parity;
  };

  /// One step with set U of the weights, which is asked for anew. False when there was nothing left to do.
  template <int Rows, int U>
  __device__ __forceinline__ bool take(int32_t rows, int32_t tile, Progress& at,
                                       float (&sums)[outputs_of_group * Rows]) {
    if (at.batch >= p.batches) return false;
    if (tile != steps && at.in_tile == 0) {
      __syncthreads();  // all have done with the tile before
      stage<Rows>(rows, at.step, tile);
    }
    multiply<Rows, U>(at.step, at.in_tile, tile, sums);
    fetch<U>();
    at.in_tile = at.in_tile + 1 == tile ? 0 : at.in_tile + 1;
    if (++at.step < steps) return true;
    finish<Rows>(rows, at.batch, at.parity, sums);
    at = {at.batch + static_cast<int32_t>(gridDim.x), 0, 0, at.parity ^ 1};
    return true;
  }

  __device__ __forceinline__ float* x_tile() const { return static_cast<float*>(dynamic_shared()); }
  __device__ __forceinline__ float* partial(int32_t parity) const {
    auto* end = static_cast<unsigned char*>(dynamic_shared()) + p.x_bytes;
    return reinterpret_cast<float*>(end) + parity * warps_of_block * outputs_of_group * 8;
  }

  /// Where this lane's weights of a step lie along the row.
  __device__ __forceinline__ int32_t position(int32_t step) const {
    return ((step * p.split + warp % p.split) * 32 + lane) * 4;
  }

  __device__ __forceinline__ void begin(int32_t batch) {
    cursor = {};
    cursor.batch = batch;
    const OutputTile at =
        output_tile(a, int64_t{batch} * (warps_of_block / p.split) + warp / p.split, outputs_of_group);
    cursor.valid = batch < p.batches && at.segment >= 0;
    if (!cursor.valid) return;
    const LinearSegment& segment = a.segments[at.segment];
    const int64_t left = segment.out_features - 1 - at.row;
    cursor.last = static_cast<int32_t>(left < outputs_of_group - 1 ? left : outputs_of_group - 1);
    cursor.weights = static_cast<const float*>(segment.weight) + at.row * depth;
  }

  /// Asks for this lane's weights at the cursor and moves it on.
  template <int U>
  __device__ __forceinline__ void fetch() {
    const int32_t k = position(cursor.step);
    const bool inside = cursor.valid && k < depth;
    const float* from = cursor.weights + k;
#pragma unroll
    for (int o = 0; o < outputs_of_group; ++o) {
      weights[U][o] = inside ? load_once_16(from) : uint4{};
      if (o < cursor.last) from += depth;  // else the last row once more; nobody stores it
    }
    if (++cursor.step == steps) begin(cursor.batch + static_cast<int32_t>(gridDim.x));
  }

  /// Copies rows of x for `tile` steps from `step` on.
  template <int Rows>
  __device__ __forceinline__ void stage(int32_t rows, int32_t step, int32_t tile) {
    const int32_t from = step * p.split * 128, most = tile * p.split * 128;
    const int32_t count = depth - from < most ? depth - from : most;
#pragma unroll 1
    for (int r = 0; r < Rows; ++r) {
      const float* x = a.x + (r < rows ? r : 0) * a.x_stride + from;
      for (int32_t i = 4 * static_cast<int32_t>(threadIdx.x); i < count; i += 4 * threads) {
        copy_async_16(x_tile() + r * most + i, x + i);
      }
    }
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
  }

  template <int Rows, int U>
  __device__ __forceinline__ void multiply(int32_t step, int32_t in_tile, int32_t tile,
                                           float (&sums)[outputs_of_group * Rows]) {
    if (position(step) >= depth) return;
    const float* x = x_tile() + (in_tile * p.split + warp % p.split) * 128 + 4 * lane;
#pragma unroll
    for (int r = 0; r < Rows; ++r) {
      const float4 v = load_float4(x + r * tile * p.split * 128);
#pragma unroll
      for (int o = 0; o < outputs_of_group; ++o) {
        float& sum = sums[o * Rows + r];
        sum = __fmaf_rn(__uint_as_float(weights[U][o].x), v.x, sum);
        sum = __fmaf_rn(__uint_as_float(weights[U][o].y), v.y, sum);
        sum = __fmaf_rn(__uint_as_float(weights[U][o].z), v.z, sum);
        sum = __fmaf_rn(__uint_as_float(weights[U][o].w), v.w, sum);
      }
    }
  }

  /// Sums over lanes and over the warps of a group, writes the outputs of the batch and clears `sums`.
  template <int Rows>
  __device__ __forceinline__ void finish(int32_t rows, int32_t batch, int32_t parity,
                                         float (&sums)[outputs_of_group * Rows]) {
    constexpr int values = outputs_of_group * Rows, lanes_of_value = 32 / values;
    float* partials = partial(parity);
    const float sum = warp_sums<values>(sums);
    if (lane % lanes_of_value == 0) partials[warp * 32 + lane / lanes_of_value] = sum;
#pragma unroll
    for (int i = 0; i < values; ++i) sums[i] = 0;
    __syncthreads();  // the next batch writes to the other half
    const int32_t index = static_cast<int32_t>(threadIdx.x) % values,
                  group = static_cast<int32_t>(threadIdx.x) / values;
    const int32_t r = index % Rows, groups = warps_of_block / p.split;
    if (group >= groups || r >= rows) return;
    const OutputTile at = output_tile(a, int64_t{batch} * groups + group, outputs_of_group);
    if (at.segment < 0) return;
    const LinearSegment& segment = a.segments[at.segment];
    const int64_t row = at.row + index / Rows;
    if (row >= segment.out_features) return;
    float total = segment.bias != nullptr ? load_element(segment.bias, row, segment.bias_dtype) : 0.0f;
    for (int32_t w = 0; w < p.split; ++w) total += partials[(group * p.split + w) * 32 + index];
    float* out = a.out + r * a.out_stride + at.out_column + row;
    *out = a.accumulate ? *out + total : total;
  }

  const LinearArgs& a;
  const GemvPlan& p;
  const int32_t lane, warp, depth, steps;
  Cursor cursor;
  uint4 weights[ahead][outputs_of_group];
};

__global__ void __launch_bounds__(threads, 1)
    gemv_float32(const __grid_constant__ LinearArgs a, const __grid_constant__ GemvPlan plan) {
  let_next_kernel_start();
  Gemv gemv(a, plan);
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  if (rows <= 0) return;
  if (rows == 1) return gemv.run<1>(rows);
  if (rows == 2) return gemv.run<2>(rows);
  if (rows <= 4) return gemv.run<4>(rows);
  gemv.run<8>(rows);
}

bool accepts(const void* args) { return is_linear_class(args, LinearClass::gemv_float32); }

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const GemvPlan plan = gemv_float32_plan(a, multiprocessors(context), shared_limit());
  if (plan.batches == 0 || a.capacity == 0) return;
  launch_overlapped(gemv_float32, {static_cast<unsigned>(plan.grid), 1, 1}, {threads, 1, 1}, plan.shared_bytes,
                    context.stream, a, plan);
}

}  // namespace

extern const Variant kernel_cuda_linear_gemv_float32_sm80;
const Variant kernel_cuda_linear_gemv_float32_sm80 = {Op::linear, Isa::sm80, "linear.gemv.float32.sm80",
                                                      accepts,    nullptr,   run};

}  // namespace graft::kernels
