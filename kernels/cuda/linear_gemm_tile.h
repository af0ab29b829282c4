// A tile of outputs on the tensor cores, one stage of 32 depth at a time: what linear and expert_linear share.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/linear_plan.h"
#include "kernels/cuda/linear_weights.h"

namespace graft::kernels::cuda {

/// TileRows x TileColumns outputs by WarpsDown x WarpsAcross warps, Stages stages in flight.
template <DType Weights, int Rows_, int Columns_, int Down_, int Across_, int Stages_, int Blocks_>
struct GemmTile {
  static constexpr DType Type = Weights;
  static constexpr int Rows = Rows_, Columns = Columns_, Down = Down_, Across = Across_, Stages = Stages_;
  static constexpr int Blocks = Blocks_;  ///< on a multiprocessor, for the compiler's choice of registers
  static constexpr int threads = 32 * Down * Across;
  static constexpr int warp_rows = Rows / Down, warp_columns = Columns / Across;
  static constexpr int row_tiles = warp_rows / 16, column_tiles = warp_columns / 8;
  // 36 floats: 8 rows of a warp's 16-byte reads fall on different banks.
  static constexpr int x_stride = gemm_depth + 4;
  static constexpr int weight_row = gemm_depth * 16 / (Type == DType::int4 ? 32 : Type == DType::int8 ? 16 : 8);
  static constexpr int x_bytes = Rows * x_stride * 4;
  static constexpr int weight_bytes = Columns * weight_row;
  static constexpr int scale_bytes = is_integer<Type> ? Columns * 4 : 0;
  static constexpr int stage_bytes = x_bytes + weight_bytes + scale_bytes;
  static constexpr int shared_bytes = Stages * stage_bytes;
  static_assert(shared_bytes <= least_shared_limit);
  static_assert(shared_bytes * Blocks <= 164 * 1024);  // a multiprocessor of capability 8.0
};

/// Fragments of 32 depth of one column of weights, for two products of 16: [product][register].
template <DType Type>
__device__ __forceinline__ void weight_fragments(const unsigned char* row, unsigned t, float scale,
                                                 uint32_t (&to)[2][2]) {
  if constexpr (!is_integer<Type>) {
    const uint4 v = load_16(row + 16 * t);
    to[0][0] = v.x;
    to[0][1] = v.y;
    to[1][0] = v.z;
    to[1][1] = v.w;
  } else {
    float w[2][4];
    if constexpr (Type == DType::int8) {
      const uint2 v = load_8(row + 8 * t);
      unpack_int8(v.x, w[0]);
      unpack_int8(v.y, w[1]);
    } else {
      const uint32_t v = load_4(row + 4 * t);
      unpack_int4(v, w[0]);
      unpack_int4(v >> 16, w[1]);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      to[i][0] = pack_bfloat16(w[i][0] * scale, w[i][1] * scale);
      to[i][1] = pack_bfloat16(w[i][2] * scale, w[i][3] * scale);
    }
  }
}

/// One stage's products, by all warps of a block.
template <class Tile>
__device__ __forceinline__ void gemm_multiply(const unsigned char* from,
                                              float (&sums)[Tile::row_tiles][Tile::column_tiles][4]) {
  const unsigned lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, warp = threadIdx.x / 32;
  const unsigned first_row = warp / Tile::Across * Tile::warp_rows;
  const unsigned first_column = warp % Tile::Across * Tile::warp_columns;
  const auto* x = reinterpret_cast<const float*>(from) + (first_row + g) * Tile::x_stride + 8 * t;
  const unsigned char* weights = from + Tile::x_bytes + (first_column + g) * Tile::weight_row;
  const auto* scales = reinterpret_cast<const float*>(from + Tile::x_bytes + Tile::weight_bytes) + first_column + g;
  uint32_t b[Tile::column_tiles][2][2];
#pragma unroll
  for (int n = 0; n < Tile::column_tiles; ++n) {
    const float scale = is_integer<Tile::Type> ? scales[8 * n] : 1.0f;
    weight_fragments<Tile::Type>(weights + 8 * n * Tile::weight_row, t, scale, b[n]);
  }
#pragma unroll
  for (int m = 0; m < Tile::row_tiles; ++m) {
    const float* upper = x + 16 * m * Tile::x_stride;
    const float* lower = upper + 8 * Tile::x_stride;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float4 u = load_float4(upper + 4 * half), l = load_float4(lower + 4 * half);
      const uint32_t a_fragment[4] = {pack_x<Tile::Type>(u.x, u.y), pack_x<Tile::Type>(l.x, l.y),
                                      pack_x<Tile::Type>(u.z, u.w), pack_x<Tile::Type>(l.z, l.w)};
#pragma unroll
      for (int n = 0; n < Tile::column_tiles; ++n) {
        if constexpr (Tile::Type == DType::float16) {
          mma_float16(sums[m][n], a_fragment, b[n][half]);
        } else {
          mma_bfloat16(sums[m][n], a_fragment, b[n][half]);
        }
      }
    }
  }
}

}  // namespace graft::kernels::cuda
