// expert_linear for experts with many rows each, on the tensor cores: the tiles and the rounding of linear_gemm.h,
// whose rows are those of one expert, fetched from where `entries` says. Tiles of rows are counted on the device;
// blocks beyond the last have nothing to do. Neighbouring blocks make the outputs of the same rows, so that these, and
// then the weights of the same expert's next rows, come from L2.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/expert_linear_plan.h"
#include "kernels/cuda/expert_tiles.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_gemm_tile.h"

namespace graft::kernels::cuda {

template <class Tile>
class ExpertGemm {
 public:
  __device__ __forceinline__ ExpertGemm(const ExpertLinearArgs& args, const ExpertTile& tile, const OutputTile& output)
      : a(args),
        at(tile),
        segment(args.segments[output.segment]),
        first_output(static_cast<int32_t>(output.row)),
        outputs(static_cast<int32_t>(segment.matrix.out_features)),
        out_column(output.out_column),
        depth(static_cast<int32_t>(args.in_features)) {
#pragma unroll
    for (int i = 0; i < reads; ++i) {
      const int32_t row = (static_cast<int32_t>(threadIdx.x) + i * Tile::threads) / x_pieces;
      x_rows[i] = row < at.rows ? expert_x_row(a, at.first + row) : -1;
    }
  }

  __device__ __forceinline__ void run() {
    float sums[Tile::row_tiles][Tile::column_tiles][4] = {};
    const int32_t stages = (depth + gemm_depth - 1) / gemm_depth;
    for (int32_t s = 0; s < Tile::Stages - 1; ++s) fetch(s, stages);
    for (int32_t s = 0; s < stages; ++s) {
      copy_async_wait<Tile::Stages - 2>();
      __syncthreads();  // stage s is there for all, and all have done with the one that is overwritten next
      fetch(s + Tile::Stages - 1, stages);
      gemm_multiply<Tile>(stage(s), sums);
    }
    copy_async_wait<0>();
    store(sums);
  }

 private:
  static constexpr int floats_16 = 4, x_pieces = gemm_depth / floats_16, weight_pieces = Tile::weight_row / 16;
  static constexpr int reads = Tile::Rows * x_pieces / Tile::threads;
  static_assert(reads * Tile::threads == Tile::Rows * x_pieces);

  __device__ __forceinline__ unsigned char* stage(int32_t s) const {
    return static_cast<unsigned char*>(dynamic_shared()) + s % Tile::Stages * Tile::stage_bytes;
  }
  /// Row of the segment's weights for an output.
  __device__ __forceinline__ int64_t weight_row(int32_t output) const {
    return at.expert * segment.expert_rows + output * segment.row_step;
  }

  /// Asks for stage s. Rows and depth that do not exist become zeros. Always closes a group, so that waits can count.
  __device__ __forceinline__ void fetch(int32_t s, int32_t stages) {
    if (s < stages) {
      unsigned char* to = stage(s);
      const int32_t from = s * gemm_depth;
      const auto thread = static_cast<int32_t>(threadIdx.x);
#pragma unroll
      for (int i = 0; i < reads; ++i) {
        const int32_t row = (thread + i * Tile::threads) / x_pieces, k = thread % x_pieces * floats_16;
        const bool inside = x_rows[i] >= 0 && from + k < depth;
        const float* x = inside ? a.x + x_rows[i] * a.x_stride + from + k : a.x;
        copy_async_16(to + 4 * (row * Tile::x_stride + k), x, inside ? 16 : 0);
      }
      const auto* weights = static_cast<const unsigned char*>(segment.matrix.weight);
      constexpr int per_16 = gemm_depth / weight_pieces;
      const int64_t row_bytes = depth / per_16 * 16;
#pragma unroll
      for (int32_t i = thread; i < Tile::Columns * weight_pieces; i += Tile::threads) {
        const int32_t column = i / weight_pieces, piece = i % weight_pieces, output = first_output + column;
        const bool inside = output < outputs && from + piece * per_16 < depth;
        const unsigned char* w =
            inside ? weights + weight_row(output) * row_bytes + (from / per_16 + piece) * 16 : weights;
        copy_async_16(to + Tile::x_bytes + column * Tile::weight_row + piece * 16, w, inside ? 16 : 0);
      }
      if constexpr (is_integer<Tile::Type>) {
        const int32_t shift = group_shift(segment.matrix.group_size, depth);
        const int64_t groups = ((int64_t{depth} - 1) >> shift) + 1;
        for (int32_t column = thread; column < Tile::Columns; column += Tile::threads) {
          const int32_t output = first_output + column;
          const bool inside = output < outputs;
          const float* scale =
              segment.matrix.scales + (inside ? weight_row(output) * groups + (int64_t{from} >> shift) : 0);
          copy_async_4(to + Tile::x_bytes + Tile::weight_bytes + 4 * column, scale, inside ? 4 : 0);
        }
      }
    }
    copy_async_commit();
  }

  __device__ __forceinline__ void store(const float (&sums)[Tile::row_tiles][Tile::column_tiles][4]) const {
    const unsigned lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, warp = threadIdx.x / 32;
    const auto row = static_cast<int32_t>(warp / Tile::Across * Tile::warp_rows + g);
    const auto first = static_cast<int32_t>(first_output + warp % Tile::Across * Tile::warp_columns + 2 * t);
    const LinearSegment& matrix = segment.matrix;
#pragma unroll
    for (int m = 0; m < 2 * Tile::row_tiles; ++m) {
      if (row + 8 * m >= at.rows) continue;
      const int32_t position = at.first + row + 8 * m;
      const float scale = expert_scale(a, position);
      float* out = a.out + position * a.out_stride + out_column;
#pragma unroll
      for (int n = 0; n < Tile::column_tiles; ++n) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int32_t output = first + 8 * n + i;
          if (output >= outputs) continue;
          float sum = sums[m / 2][n][2 * (m % 2) + i] * scale;
          if (matrix.bias != nullptr) sum += load_element(matrix.bias, weight_row(output), matrix.bias_dtype);
          out[output] = sum;
        }
      }
    }
  }

  const ExpertLinearArgs& a;
  const ExpertTile& at;
  const ExpertSegment& segment;
  const int32_t first_output, outputs;
  const int64_t out_column;
  const int32_t depth;
  int32_t x_rows[reads];  ///< of x, of the pieces that this thread brings; -1: there is none
};

template <class Tile>
__global__ void __launch_bounds__(Tile::threads, Tile::Blocks)
    expert_gemm_kernel(const __grid_constant__ ExpertLinearArgs a, int32_t column_tiles) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  constexpr int32_t shift = Tile::Rows == 128 ? 7 : Tile::Rows == 64 ? 6 : 5;
  static_assert(1 << shift == Tile::Rows);
  const auto block = static_cast<int32_t>(blockIdx.x);
  const ExpertTile tile = find_expert_tile(a, shift, block / column_tiles);
  if (tile.rows == 0) return;
  ExpertGemm<Tile>(a, tile, expert_output_tile(a, block % column_tiles, Tile::Columns)).run();
}

template <class Tile>
void launch_expert_gemm_tile(const ExpertLinearArgs& a, const ExpertGemmPlan& plan, const Context& context) {
  launch_overlapped(expert_gemm_kernel<Tile>, {static_cast<unsigned>(plan.tiles * plan.column_tiles), 1, 1},
                    {Tile::threads, 1, 1}, Tile::shared_bytes, context.stream, a,
                    static_cast<int32_t>(plan.column_tiles));
}

template <DType Type>
void launch_expert_gemm(const ExpertLinearArgs& a, const Context& context) {
  const ExpertGemmPlan plan = expert_gemm_plan(a);
  if (plan.tiles * plan.column_tiles == 0) return;
  if (plan.tile_rows == 32) {
    return launch_expert_gemm_tile<GemmTile<Type, 32, 64, 1, 4, 4, 4>>(a, plan, context);
  }
  if (plan.tile_rows == 64) {
    return launch_expert_gemm_tile<GemmTile<Type, 64, 64, 2, 2, 4, 3>>(a, plan, context);
  }
  launch_expert_gemm_tile<GemmTile<Type, 128, 128, 2, 2, 3, 1>>(a, plan, context);
}

}  // namespace graft::kernels::cuda
