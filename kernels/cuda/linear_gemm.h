// linear for many rows on the tensor cores (mma.sync, sm_80 and later).
//
// A block makes a tile of outputs from stages of 32 depth that cp.async brings to shared memory: x as float32, weights
// as they are stored. Fragments are made on the way to the registers: x is rounded to bfloat16 (float16 for float16
// weights), int8 and int4 are multiplied by their scale and rounded likewise; sums are float32. Within 32 depth the
// order of a product does not matter as long as both factors keep it, so a lane takes 8 neighbours, which are one or
// two wide reads of either factor, where the fragments of the manual would want pairs from four places.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_gemm_tile.h"

namespace graft::kernels::cuda {

/// Where a tile of outputs and its weights are.
struct GemmPlace {
  int64_t first_row;     ///< of x
  int32_t first_output;  ///< in the segment
  int32_t outputs;       ///< of the segment
  int64_t out_column;    ///< of the segment
  int32_t segment;
  int32_t from, to;  ///< depth
  int64_t split;
};

__device__ __forceinline__ GemmPlace gemm_place(const LinearArgs& a, const GemmPlan& plan) {
  // Tiles of rows that share weights are neighbours in time: the weights come from L2.
  const int64_t tile = blockIdx.x, row_tile = tile % plan.row_tiles;
  const OutputTile at = output_tile(a, tile / plan.row_tiles, plan.tile_columns);
  const int64_t from = blockIdx.y * plan.split_depth, to = from + plan.split_depth;
  return {row_tile * plan.tile_rows,
          static_cast<int32_t>(at.row),
          static_cast<int32_t>(a.segments[at.segment].out_features),
          at.out_column,
          at.segment,
          static_cast<int32_t>(from),
          static_cast<int32_t>(to < a.in_features ? to : a.in_features),
          blockIdx.y};
}

/// Where the sums of a tile go: to `out`, with bias, or as one split's part to scratch for add_splits.
struct GemmOutput {
  float* to;  ///< row 0, first output of the segment
  int64_t stride;
  const void* bias;
  DType bias_dtype;
  bool accumulate;

  __device__ __forceinline__ GemmOutput(const LinearArgs& a, const GemmPlan& plan, const GemmPlace& at,
                                        int64_t all_outputs) {
    const LinearSegment& segment = a.segments[at.segment];
    const bool whole = plan.splits <= 1;
    to = (whole ? a.out : static_cast<float*>(a.scratch) + at.split * a.capacity * all_outputs) + at.out_column;
    stride = whole ? a.out_stride : all_outputs;
    bias = whole ? segment.bias : nullptr;
    bias_dtype = segment.bias_dtype;
    accumulate = whole && a.accumulate;
  }
  __device__ __forceinline__ float bias_of(int32_t output) const {
    return bias != nullptr ? load_element(bias, output, bias_dtype) : 0.0f;
  }
  __device__ __forceinline__ void store(int64_t row, int32_t output, float sum) const {
    float* out = to + row * stride + output;
    *out = accumulate ? *out + sum : sum;
  }
};

/// Adds the parts that splits have left in scratch, in their order.
template <int Threads>
__global__ void __launch_bounds__(Threads)
    add_splits(const __grid_constant__ LinearArgs a, const __grid_constant__ GemmPlan plan, int64_t outputs) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t rows = *a.rows, column = static_cast<int64_t>(blockIdx.x) * Threads + threadIdx.x;
  if (column >= outputs) return;
  const OutputTile at = output_tile(a, column, 1);
  const LinearSegment& segment = a.segments[at.segment];
  const float bias = segment.bias != nullptr ? load_element(segment.bias, at.row, segment.bias_dtype) : 0.0f;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float* part = static_cast<const float*>(a.scratch) + row * outputs + column;
    float sum = bias;
    for (int64_t split = 0; split < plan.splits; ++split) sum += part[split * a.capacity * outputs];
    float* out = a.out + row * a.out_stride + column;
    *out = a.accumulate ? *out + sum : sum;
  }
}

template <class Tile>
class Gemm {
 public:
  __device__ __forceinline__ Gemm(const LinearArgs& args, const GemmPlan& plan, const GemmPlace& place, int32_t rows)
      : a(args), p(plan), at(place), rows_left(static_cast<int32_t>(rows - place.first_row)) {}

  __device__ __forceinline__ void run(int64_t all_outputs) {
    float sums[Tile::row_tiles][Tile::column_tiles][4] = {};
    const int32_t stages = (at.to - at.from + gemm_depth - 1) / gemm_depth;
    for (int32_t s = 0; s < Tile::Stages - 1; ++s) fetch(s, stages);
    for (int32_t s = 0; s < stages; ++s) {
      copy_async_wait<Tile::Stages - 2>();
      __syncthreads();  // stage s is there for all, and all have done with the one that is overwritten next
      fetch(s + Tile::Stages - 1, stages);
      gemm_multiply<Tile>(stage(s), sums);
    }
    copy_async_wait<0>();
    store(all_outputs, sums);
  }

 private:
  static constexpr int floats_16 = 4, x_pieces = gemm_depth / floats_16, weight_pieces = Tile::weight_row / 16;

  __device__ __forceinline__ unsigned char* stage(int32_t s) const {
    return static_cast<unsigned char*>(dynamic_shared()) + s % Tile::Stages * Tile::stage_bytes;
  }

  /// Asks for stage s. Rows and depth that do not exist become zeros. Always closes a group, so that waits can count.
  __device__ __forceinline__ void fetch(int32_t s, int32_t stages) {
    if (s < stages) {
      unsigned char* to = stage(s);
      const int32_t from = at.from + s * gemm_depth;
      const auto thread = static_cast<int32_t>(threadIdx.x);
#pragma unroll
      for (int32_t i = thread; i < Tile::Rows * x_pieces; i += Tile::threads) {
        const int32_t row = i / x_pieces, k = i % x_pieces * floats_16;
        const bool inside = row < rows_left && from + k < at.to;
        const float* x = inside ? a.x + (at.first_row + row) * a.x_stride + from + k : a.x;
        copy_async_16(to + 4 * (row * Tile::x_stride + k), x, inside ? 16 : 0);
      }
      const LinearSegment& segment = a.segments[at.segment];
      const auto* weights = static_cast<const unsigned char*>(segment.weight);
      constexpr int per_16 = gemm_depth / weight_pieces;
      const int64_t row_bytes = a.in_features / per_16 * 16;
#pragma unroll
      for (int32_t i = thread; i < Tile::Columns * weight_pieces; i += Tile::threads) {
        const int32_t column = i / weight_pieces, piece = i % weight_pieces, output = at.first_output + column;
        const bool inside = output < at.outputs && from + piece * per_16 < at.to;
        const unsigned char* w = inside ? weights + output * row_bytes + (from / per_16 + piece) * 16 : weights;
        copy_async_16(to + Tile::x_bytes + column * Tile::weight_row + piece * 16, w, inside ? 16 : 0);
      }
      if constexpr (is_integer<Tile::Type>) {
        const int32_t shift = group_shift(segment.group_size, a.in_features);
        const int64_t groups = ((a.in_features - 1) >> shift) + 1;
        for (int32_t column = thread; column < Tile::Columns; column += Tile::threads) {
          const int32_t output = at.first_output + column;
          const bool inside = output < at.outputs;
          const float* scale = segment.scales + (inside ? output * groups + (int64_t{from} >> shift) : 0);
          copy_async_4(to + Tile::x_bytes + Tile::weight_bytes + 4 * column, scale, inside ? 4 : 0);
        }
      }
    }
    copy_async_commit();
  }

  __device__ __forceinline__ void store(int64_t all_outputs, float (&sums)[Tile::row_tiles][Tile::column_tiles][4]) {
    const unsigned lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, warp = threadIdx.x / 32;
    const auto row = static_cast<int32_t>(warp / Tile::Across * Tile::warp_rows + g);
    const auto first = static_cast<int32_t>(at.first_output + warp % Tile::Across * Tile::warp_columns + 2 * t);
    const GemmOutput out(a, p, at, all_outputs);
#pragma unroll
    for (int n = 0; n < Tile::column_tiles; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int32_t output = first + 8 * n + i;
        if (output >= at.outputs) continue;
        const float bias = out.bias_of(output);
#pragma unroll
        for (int m = 0; m < 2 * Tile::row_tiles; ++m) {
          if (row + 8 * m < rows_left)
            out.store(at.first_row + row + 8 * m, output, sums[m / 2][n][2 * (m % 2) + i] + bias);
        }
      }
    }
  }

  const LinearArgs& a;
  const GemmPlan& p;
  const GemmPlace& at;
  const int32_t rows_left;
};

template <class Tile>
__global__ void __launch_bounds__(Tile::threads, Tile::Blocks)
    gemm_kernel(const __grid_constant__ LinearArgs a, const __grid_constant__ GemmPlan plan, int64_t all_outputs) {
  let_next_kernel_start();
  const GemmPlace place = gemm_place(a, plan);
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  if (place.first_row >= rows) return;
  Gemm<Tile>(a, plan, place, rows).run(all_outputs);
}

inline void launch_add_splits(const LinearArgs& a, const GemmPlan& plan, const Context& context) {
  if (plan.splits <= 1) return;
  launch_overlapped(add_splits<add_splits_threads>, add_splits_plan(a), context.stream, a, plan, out_features(a));
}

/// The kernel of a tile, and the one that adds its splits.
template <class Tile>
void launch_gemm_tile(const LinearArgs& a, const GemmPlan& plan, const Context& context) {
  launch_overlapped(gemm_kernel<Tile>, gemm_blocks(plan, Tile::threads, Tile::shared_bytes), context.stream, a, plan,
                    out_features(a));
  launch_add_splits(a, plan, context);
}

template <DType Type>
void launch_gemm(const LinearArgs& a, const Context& context) {
  const GemmPlan plan = gemm_plan(a, multiprocessors(context));
  if (plan.column_tiles == 0) return;
  constexpr int small_stages = is_integer<Type> ? 4 : 3;
  if (plan.tile_rows == 32) {
    return launch_gemm_tile<GemmTile<Type, 32, 64, 1, 4, 4, 4>>(a, plan, context);
  }
  if (plan.tile_rows == 64) {
    return launch_gemm_tile<GemmTile<Type, 64, 64, 2, 2, small_stages, 3>>(a, plan, context);
  }
  launch_gemm_tile<GemmTile<Type, 128, 128, 2, 2, 3, 1>>(a, plan, context);
}

}  // namespace graft::kernels::cuda
