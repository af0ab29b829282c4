// Launch plans of the linear kernels: which kernel serves which arguments, and with what grid, tiles and memory.
#pragma once

#include "kernels/cuda/grid_plan.h"
#include "kernels/spec/linear.h"

namespace graft::kernels::cuda {

/// The kernels share out all arguments: each accepts its own class.
enum class LinearClass {
  general,
  gemv,
  gemv_float32,
  gemv_quantized,
  gemm,
  gemm_float32,
  gemm_quantized,
  cublaslt,
  cublaslt_quantized
};

constexpr int64_t gemv_capacity = 8;

/// Rows from which integer weights are turned into bfloat16 first, for cuBLASLt: that costs as much as reading the
/// weights a second time, and the products by then more.
constexpr int64_t cublaslt_quantized_capacity = 256;

/// Weights in 16 bytes.
GRAFT_BOTH int64_t weights_per_16(DType dtype) {
  if (dtype == DType::float32) return 4;
  if (dtype == DType::int8) return 16;
  return dtype == DType::int4 ? 32 : 8;
}

inline bool is_aligned(const void* address, uintptr_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}

/// Whether rows of the segment can be read 16 bytes at a time, each of one scale: rows of whole 16 bytes that begin on
/// such, and groups of a power of two that hold 32 weights or more, or the whole row.
inline bool reads_wide(const LinearSegment& segment, int64_t in_features) {
  if (!is_aligned(segment.weight, 16) || in_features % weights_per_16(segment.weight_dtype) != 0) return false;
  if (segment.weight_dtype != DType::int8 && segment.weight_dtype != DType::int4) return true;
  const int64_t group = segment.group_size;
  return group >= in_features || (group >= 32 && (group & (group - 1)) == 0);
}

/// `has_cublaslt`: whether the process has the library (has_matmul of matmul.h).
inline LinearClass linear_class(const LinearArgs& a, bool has_cublaslt) {
  if (a.in_features < 1 || a.segment_count < 1 || a.x_stride % 4 != 0 || !is_aligned(a.x, 16)) {
    return LinearClass::general;
  }
  const DType dtype = a.segments[0].weight_dtype;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    if (a.segments[s].weight_dtype != dtype || !reads_wide(a.segments[s], a.in_features)) return LinearClass::general;
  }
  const bool quantized = dtype == DType::int8 || dtype == DType::int4;
  const bool few = a.capacity <= gemv_capacity;
  if (quantized) {
    if (few) return LinearClass::gemv_quantized;
    const bool many = a.capacity >= cublaslt_quantized_capacity;
    return has_cublaslt && many ? LinearClass::cublaslt_quantized : LinearClass::gemm_quantized;
  }
  if (dtype == DType::float32) return few ? LinearClass::gemv_float32 : LinearClass::gemm_float32;
  if (few) return LinearClass::gemv;
  return has_cublaslt ? LinearClass::cublaslt : LinearClass::gemm;
}

/// log2 of the weights that share a scale; large where a row has one scale.
GRAFT_BOTH int32_t group_shift(int64_t group_size, int64_t in_features) {
  if (group_size >= in_features) return 62;
  int32_t shift = 0;
  while ((int64_t{1} << shift) < group_size) ++shift;
  return shift;
}

/// Outputs in tiles of `size` rows of the weights, none of which spans two segments.
struct OutputTile {
  int32_t segment;     ///< -1 beyond the last
  int64_t row;         ///< first row of the tile in its segment
  int64_t out_column;  ///< where the segment begins in a row of `out`
};

GRAFT_BOTH OutputTile output_tile(const LinearArgs& a, int64_t tile, int64_t size) {
  int64_t column = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const int64_t tiles = divide_up(a.segments[s].out_features, size);
    if (tile < tiles) return {s, tile * size, column};
    tile -= tiles;
    column += a.segments[s].out_features;
  }
  return {-1, 0, column};
}

inline int64_t output_tiles(const LinearArgs& a, int64_t size) {
  int64_t tiles = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) tiles += divide_up(a.segments[s].out_features, size);
  return tiles;
}

inline int64_t out_features(const LinearArgs& a) { return output_tiles(a, 1); }

// --- whatever the others leave: linear_general_sm80.cu
// --------------------------------------------------------------------------------------------------------------

constexpr int general_warps = 8;  ///< of a block; each takes an output at a time

inline Blocks linear_general_plan(int64_t outputs, int32_t multiprocessors) {
  return {grid_for(divide_up(outputs, general_warps), 2 * multiprocessors), 1, 32 * general_warps};
}

// --- gemm
// --------------------------------------------------------------------------------------------------------------

constexpr int gemm_depth = 32;  ///< of a stage

/// Blocks of tile_rows x tile_columns outputs; `splits` blocks share the depth of a tile and leave their sums in
/// scratch for a second kernel.
struct GemmPlan {
  int32_t tile_rows;
  int32_t tile_columns;
  int64_t row_tiles;
  int64_t column_tiles;
  int64_t splits;
  int64_t split_depth;  ///< a multiple of gemm_depth
  int64_t scratch_bytes;
};

inline GemmPlan gemm_tiles(const LinearArgs& a, int32_t tile_rows, int32_t tile_columns, int64_t multiprocessors) {
  constexpr int64_t most_splits = 16, least_depth = 256;
  GemmPlan plan = {};
  plan.tile_rows = tile_rows;
  plan.tile_columns = tile_columns;
  plan.row_tiles = divide_up(a.capacity, tile_rows);
  plan.column_tiles = output_tiles(a, tile_columns);
  const int64_t tiles = plan.row_tiles * plan.column_tiles;
  int64_t splits = 1;
  if (tiles > 0 && tiles < 2 * multiprocessors) splits = 2 * multiprocessors / tiles;
  if (splits > most_splits) splits = most_splits;
  const int64_t deep = a.in_features / least_depth;
  if (splits > deep) splits = deep > 1 ? deep : 1;
  plan.split_depth = round_up(divide_up(a.in_features, splits), gemm_depth);
  plan.splits = divide_up(a.in_features, plan.split_depth);
  plan.scratch_bytes = plan.splits > 1 ? plan.splits * a.capacity * out_features(a) * 4 : 0;
  return plan;
}

/// For tensor cores: the tile that suits the rows.
inline GemmPlan gemm_plan(const LinearArgs& a, int64_t multiprocessors) {
  if (a.capacity <= 32) return gemm_tiles(a, 32, 64, multiprocessors);
  if (a.capacity <= 128) return gemm_tiles(a, 64, 64, multiprocessors);
  return gemm_tiles(a, 128, 128, multiprocessors);
}

/// Of the kernel that makes the tiles, whose blocks have `threads`.
inline Blocks gemm_blocks(const GemmPlan& plan, int32_t threads, int64_t shared_bytes) {
  return {static_cast<uint32_t>(plan.row_tiles * plan.column_tiles), static_cast<uint32_t>(plan.splits), threads,
          shared_bytes};
}

/// Of the one that adds what splits left, a thread to an output.
constexpr int add_splits_threads = 256;
inline Blocks add_splits_plan(const LinearArgs& a) {
  return blocks_for_columns(a.capacity, out_features(a), add_splits_threads);
}

inline GemmPlan gemm_float32_plan(const LinearArgs& a, int64_t multiprocessors) {
  return gemm_tiles(a, 64, 64, multiprocessors);
}

}  // namespace graft::kernels::cuda
