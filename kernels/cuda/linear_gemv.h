// linear for up to 8 rows: bound by reading the weights once, so all is arranged to keep many 16-byte loads in flight.
//
// One block of 12 warps lives on each multiprocessor and takes batches of output groups (linear_plan.h). A warp reads
// four rows of the weights side by side, two steps ahead, past L1; rows of x wait in shared memory as float32, laid out
// so that a warp reads 512 bytes in a row. The first weights are asked for before the kernel in front has ended. Sums
// are float32 in an order that depends on the shape alone.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_plan.h"
#include "kernels/cuda/linear_weights.h"
#include "kernels/cuda/reduce.h"

namespace graft::kernels::cuda {

constexpr int gemv_threads = 32 * gemv_warps;
constexpr int gemv_ahead = 2;  ///< steps of weights that are in flight

/// Where a warp reads: batch after batch, step after step.
struct GemvCursor {
  int32_t batch;
  int32_t step;
  bool valid;
  int32_t last;  ///< rows of the weights after the first that exist, at most gemv_outputs - 1
  const unsigned char* weights;
  const float* scales;
  int32_t shift;  ///< of a depth to its scale
};

template <DType Type>
class Gemv {
 public:
  __device__ __forceinline__ Gemv(const LinearArgs& args, const GemvPlan& plan)
      : a(args),
        p(plan),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        depth(static_cast<int32_t>(args.in_features)),
        steps(static_cast<int32_t>(divide_up(args.in_features, gemv_step(Type, plan.split)))) {
    begin(static_cast<int32_t>(blockIdx.x));
    fetch<0>();
    fetch<1>();
  }

  /// All batches of this block. Every thread calls it.
  template <int Rows>
  __device__ __forceinline__ void run(int32_t rows) {
    const int32_t fit = static_cast<int32_t>(p.x_bytes / (4 * Rows * gemv_step(Type, p.split)));
    const int32_t tile = fit < steps ? fit : steps;  // steps of x that are in shared memory
    if (tile == steps) stage<Rows>(rows, 0, tile);
    Progress at = {static_cast<int32_t>(blockIdx.x), 0, 0, 0};
    float sums[gemv_outputs * Rows] = {};
    // Registers are not indexed: each set of weights in flight has its own copy of the code.
    while (take<Rows, 0>(rows, tile, at, sums) && take<Rows, 1>(rows, tile, at, sums)) {
    }
  }

 private:
  static constexpr int per_load = Type == DType::int4 ? 32 : Type == DType::int8 ? 16 : Type == DType::float32 ? 4 : 8;
  static constexpr int fours = per_load / 4;

  struct Progress {
    int32_t batch;
    int32_t step, in_tile, parity;
  };

  /// One step with set U of the weights, which is asked for anew. False when there was nothing left to do.
  template <int Rows, int U>
  __device__ __forceinline__ bool take(int32_t rows, int32_t tile, Progress& at, float (&sums)[gemv_outputs * Rows]) {
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
    return reinterpret_cast<float*>(end) + parity * gemv_warps * gemv_outputs * 8;
  }

  /// Where this lane's weights of a step lie along the row.
  __device__ __forceinline__ int32_t position(int32_t step) const {
    return ((step * p.split + warp % p.split) * 32 + lane) * per_load;
  }

  __device__ __forceinline__ void begin(int32_t batch) {
    cursor = {};
    cursor.batch = batch;
    const OutputTile at = output_tile(a, int64_t{batch} * (gemv_warps / p.split) + warp / p.split, gemv_outputs);
    cursor.valid = batch < p.batches && at.segment >= 0;
    if (!cursor.valid) return;
    const LinearSegment& segment = a.segments[at.segment];
    const int64_t left = segment.out_features - 1 - at.row;
    cursor.last = static_cast<int32_t>(left < gemv_outputs - 1 ? left : gemv_outputs - 1);
    cursor.weights = static_cast<const unsigned char*>(segment.weight) + at.row * row_bytes();
    if constexpr (is_integer<Type>) {
      cursor.shift = group_shift(segment.group_size, depth);
      cursor.scales = segment.scales + at.row * scales_of_row(cursor.shift);
    }
  }

  __device__ __forceinline__ int64_t row_bytes() const { return static_cast<int64_t>(depth) / per_load * 16; }
  __device__ __forceinline__ int32_t scales_of_row(int32_t shift) const {
    return static_cast<int32_t>((static_cast<int64_t>(depth) - 1) >> shift) + 1;
  }

  /// Asks for this lane's weights at the cursor and moves it on.
  template <int U>
  __device__ __forceinline__ void fetch() {
    const int32_t k = position(cursor.step);
    const bool inside = cursor.valid && k < depth;
    const unsigned char* from = cursor.weights + static_cast<int64_t>(k) / per_load * 16;
    const float* scale = cursor.scales;
    if constexpr (is_integer<Type>) scale += static_cast<int64_t>(k) >> cursor.shift;
#pragma unroll
    for (int o = 0; o < gemv_outputs; ++o) {
      weights[U][o] = inside ? load_once_16(from) : uint4{};
      if constexpr (is_integer<Type>) scales[U][o] = inside ? *scale : 0.0f;
      if (o < cursor.last) {  // else the last row once more; nobody stores it
        from += row_bytes();
        if constexpr (is_integer<Type>) scale += scales_of_row(cursor.shift);
      }
    }
    if (++cursor.step == steps) begin(cursor.batch + static_cast<int32_t>(gridDim.x));
  }

  /// Copies rows of x for `tile` steps from `step` on. Four floats of a lane's load lie 512 bytes from the next four,
  /// and those of the 32 lanes side by side.
  template <int Rows>
  __device__ __forceinline__ void stage(int32_t rows, int32_t step, int32_t tile) {
    const int32_t from = step * p.split * 32 * per_load, chunks = tile * p.split;
    const int32_t left = depth - from, most = chunks * 32 * per_load;
    const int32_t count = (left < most ? left : most) / 4;
#pragma unroll 1
    for (int r = 0; r < Rows; ++r) {
      const float* x = a.x + (r < rows ? r : 0) * a.x_stride + from;
      for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count; i += gemv_threads) {
        const int32_t chunk = i / (32 * fours), in_lane = i % fours, of_lane = i / fours % 32;
        copy_async_16(x_tile() + 4 * (((r * chunks + chunk) * fours + in_lane) * 32 + of_lane), x + 4 * i);
      }
    }
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
  }

  template <int Rows, int U>
  __device__ __forceinline__ void multiply(int32_t step, int32_t in_tile, int32_t tile,
                                           float (&sums)[gemv_outputs * Rows]) {
    if (position(step) >= depth) return;
    const int32_t chunks = tile * p.split, chunk = in_tile * p.split + warp % p.split;
    const float* x = x_tile() + 4 * (chunk * fours * 32 + lane);
    // A scale is applied to the sum of a load's products, or with many rows, where that takes more, to the weights.
    constexpr bool scale_sums = is_integer<Type> && Rows <= 2;
    float inner[gemv_outputs * Rows] = {};
#pragma unroll
    for (int j = 0; j < fours; ++j) {
      float w[gemv_outputs][4];
#pragma unroll
      for (int o = 0; o < gemv_outputs; ++o) {
        unpack_four<Type>(weights[U][o], j, w[o]);
        if constexpr (is_integer<Type> && !scale_sums) {
#pragma unroll
          for (int i = 0; i < 4; ++i) w[o][i] *= scales[U][o];
        }
      }
#pragma unroll
      for (int r = 0; r < Rows; ++r) {
        const float4 v = load_float4(x + 4 * (r * chunks * fours + j) * 32);
#pragma unroll
        for (int o = 0; o < gemv_outputs; ++o) {
          float& sum = scale_sums ? inner[o * Rows + r] : sums[o * Rows + r];
          sum = __fmaf_rn(w[o][0], v.x, sum);
          sum = __fmaf_rn(w[o][1], v.y, sum);
          sum = __fmaf_rn(w[o][2], v.z, sum);
          sum = __fmaf_rn(w[o][3], v.w, sum);
        }
      }
    }
    if constexpr (scale_sums) {
#pragma unroll
      for (int i = 0; i < gemv_outputs * Rows; ++i) {
        sums[i] = __fmaf_rn(scales[U][i / Rows], inner[i], sums[i]);
      }
    }
  }

  /// Sums over lanes and over the warps of a group, writes the outputs of the batch and clears `sums`.
  template <int Rows>
  __device__ __forceinline__ void finish(int32_t rows, int32_t batch, int32_t parity,
                                         float (&sums)[gemv_outputs * Rows]) {
    constexpr int values = gemv_outputs * Rows, lanes_of_value = 32 / values;
    float* partials = partial(parity);
    const float sum = warp_sums<values>(sums);
    if (lane % lanes_of_value == 0) partials[warp * 32 + lane / lanes_of_value] = sum;
#pragma unroll
    for (int i = 0; i < values; ++i) sums[i] = 0;
    __syncthreads();  // the next batch writes to the other half
    const int32_t index = static_cast<int32_t>(threadIdx.x) % values,
                  group = static_cast<int32_t>(threadIdx.x) / values;
    const int32_t r = index % Rows, groups = gemv_warps / p.split;
    if (group >= groups || r >= rows) return;
    const OutputTile at = output_tile(a, int64_t{batch} * groups + group, gemv_outputs);
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
  GemvCursor cursor;
  uint4 weights[gemv_ahead][gemv_outputs];
  float scales[gemv_ahead][gemv_outputs];
};

template <DType Type>
__global__ void __launch_bounds__(gemv_threads, 1)
    gemv_kernel(const __grid_constant__ LinearArgs a, const __grid_constant__ GemvPlan plan) {
  let_next_kernel_start();
  Gemv<Type> gemv(a, plan);
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  if (rows <= 0) return;
  if (rows == 1) return gemv.template run<1>(rows);
  if (rows == 2) return gemv.template run<2>(rows);
  if (rows <= 4) return gemv.template run<4>(rows);
  gemv.template run<8>(rows);
}

template <DType Type>
void launch_gemv(const LinearArgs& a, const Context& context) {
  const GemvPlan plan = gemv_plan(a, multiprocessors(context), shared_limit());
  if (plan.batches == 0 || a.capacity == 0) return;
  launch_overlapped(gemv_kernel<Type>, {static_cast<unsigned>(plan.grid), 1, 1}, {gemv_threads, 1, 1},
                    plan.shared_bytes, context.stream, a, plan);
}

}  // namespace graft::kernels::cuda
