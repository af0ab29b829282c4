// Launch plans of expert_linear: which kernel serves which arguments, and how rows of experts and outputs are dealt to
// blocks. Pure functions of shapes; how many rows an expert has is known on the device alone.
#pragma once

#include "kernels/cuda/linear_gemv_plan.h"
#include "kernels/spec/expert_linear.h"

namespace graft::kernels::cuda {

/// As LinearClass: each kernel accepts its own.
enum class ExpertLinearClass { general, float32, gemv, gemv_quantized, gemm, gemm_quantized };

/// Rows of a tile of the kernels for few rows.
constexpr int32_t expert_few_rows = 8;

/// Whether experts have few rows each: then reading their weights is all that counts.
inline bool has_few_rows(const ExpertLinearArgs& a) {
  return a.capacity <= expert_few_rows || a.capacity * a.top_k <= 4 * int64_t{a.experts};
}

inline ExpertLinearClass expert_linear_class(const ExpertLinearArgs& a) {
  if (a.in_features < 1 || a.segment_count < 1 || a.x_stride % 4 != 0 || !is_aligned(a.x, 16)) {
    return ExpertLinearClass::general;
  }
  const DType dtype = a.segments[0].matrix.weight_dtype;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const LinearSegment& matrix = a.segments[s].matrix;
    if (matrix.weight_dtype != dtype || !reads_wide(matrix, a.in_features)) return ExpertLinearClass::general;
  }
  if (dtype == DType::float32) return ExpertLinearClass::float32;
  const bool quantized = dtype == DType::int8 || dtype == DType::int4;
  if (has_few_rows(a)) return quantized ? ExpertLinearClass::gemv_quantized : ExpertLinearClass::gemv;
  return quantized ? ExpertLinearClass::gemm_quantized : ExpertLinearClass::gemm;
}

/// Outputs in tiles of `size`, none of which spans two segments: as output_tile.
GRAFT_BOTH OutputTile expert_output_tile(const ExpertLinearArgs& a, int64_t tile, int64_t size) {
  int64_t column = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const int64_t outputs = a.segments[s].matrix.out_features, tiles = divide_up(outputs, size);
    if (tile < tiles) return {s, tile * size, column};
    tile -= tiles;
    column += outputs;
  }
  return {-1, 0, column};
}

inline int64_t expert_output_tiles(const ExpertLinearArgs& a, int64_t size) {
  int64_t tiles = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) tiles += divide_up(a.segments[s].matrix.out_features, size);
  return tiles;
}

/// The most tiles of up to `size` rows of one expert that there can be.
inline int64_t most_expert_tiles(const ExpertLinearArgs& a, int64_t size) {
  const int64_t positions = a.capacity * a.top_k, experts = a.experts;
  int64_t most = positions;  // a row to each
  const int64_t of_rows = experts * divide_up(a.capacity, size), of_all = (positions + experts * (size - 1)) / size;
  if (of_rows < most) most = of_rows;
  return of_all < most ? of_all : most;
}

// --- few rows, 16-bit, int8 and int4 weights: expert_gemv.h
// -----------------------------------------------------------------------------------------------

constexpr int32_t expert_gemv_warps = 4, expert_gemv_stages = 4;
constexpr int64_t expert_gemv_partial_bytes = expert_gemv_warps * gemv_outputs * 8 * 4;
/// Ranges of rows of x, as in linear_gemv_plan.h.
constexpr int64_t expert_gemv_range_bytes = 256;
static_assert(8 * (expert_gemv_warps + 1) * 4 <= expert_gemv_range_bytes);
constexpr int64_t expert_gemv_x_limit = 32 * 1024;

/// A block takes warps / split groups of 16 outputs of a tile of rows; `split` warps share the depth of a group. There
/// are many small blocks, so that some read weights while others fetch their rows.
struct ExpertGemvPlan {
  int32_t split;
  int32_t split_shift;  ///< its log2
  int32_t chunks;       ///< blocks of a tile
  int32_t stage_bytes;
  GemvScales scales[ExpertLinearArgs::max_segments];
  int64_t tiles;
  int64_t x_bytes;
  int64_t shared_bytes;
};

inline ExpertGemvPlan expert_gemv_plan(const ExpertLinearArgs& a, int64_t multiprocessors) {
  constexpr int64_t blocks_of_multiprocessor = 4;
  const DType dtype = a.segments[0].matrix.weight_dtype;
  const int64_t step = gemv_step(dtype), groups = expert_output_tiles(a, gemv_outputs);
  ExpertGemvPlan plan = {};
  plan.tiles = most_expert_tiles(a, expert_few_rows);
  for (int32_t shift = 0; 1 << shift <= expert_gemv_warps; ++shift) {
    const int64_t split = int64_t{1} << shift, chunks = divide_up(groups, expert_gemv_warps / split);
    if (split > 1 && step * (split - 1) >= a.in_features) break;
    plan.split = static_cast<int32_t>(split);
    plan.split_shift = shift;
    plan.chunks = static_cast<int32_t>(chunks);
    if (chunks * plan.tiles >= blocks_of_multiprocessor * multiprocessors) break;
  }
  plan.stage_bytes = gemv_outputs * gemv_row_bytes;
  if (dtype == DType::int8 || dtype == DType::int4) {
    int32_t most = 0;
    for (int32_t s = 0; s < a.segment_count; ++s) {
      plan.scales[s] = gemv_scales(dtype, a.segments[s].matrix.group_size, a.in_features);
      most = plan.scales[s].stage_shift > most ? plan.scales[s].stage_shift : most;
    }
    plan.stage_bytes += gemv_outputs * 4 << most;
  }
  const int64_t rows = gemv_rows(a.capacity < expert_few_rows ? a.capacity : expert_few_rows);
  const int64_t x_bytes = round_up(a.in_features, step * plan.split) * rows * 4;
  plan.x_bytes = x_bytes < expert_gemv_x_limit ? x_bytes : expert_gemv_x_limit;
  plan.shared_bytes = expert_gemv_range_bytes + expert_gemv_partial_bytes +
                      int64_t{expert_gemv_warps} * expert_gemv_stages * plan.stage_bytes + plan.x_bytes;
  return plan;
}

// --- float32 weights and whatever the others leave: expert_general.h
// ------------------------------------------------------------------------------------------------------------------

constexpr int32_t expert_general_warps = 8;  ///< of a block; each takes an output of up to expert_few_rows at a time

/// Blocks count tile by tile; `chunks` of them share the outputs of one.
struct ExpertGeneralPlan {
  int64_t tiles;
  int64_t chunks;
};

inline ExpertGeneralPlan expert_general_plan(const ExpertLinearArgs& a) {
  constexpr int64_t outputs_of_block = 8 * expert_general_warps;
  const int64_t tiles = most_expert_tiles(a, expert_few_rows);
  const int64_t wanted = divide_up(expert_output_tiles(a, 1), outputs_of_block);
  const int64_t most = tiles > 0 ? most_across / tiles : 0;  // blocks loop over the outputs
  return {tiles, wanted < most ? wanted : most};
}

inline Blocks expert_general_blocks(const ExpertGeneralPlan& plan) {
  return {static_cast<uint32_t>(plan.tiles * plan.chunks), 1, 32 * expert_general_warps};
}

// --- more rows: expert_gemm.h
// ------------------------------------------------------------------------------------------------------------------

struct ExpertGemmPlan {
  int32_t tile_rows;
  int32_t tile_columns;
  int64_t tiles;         ///< of rows, at most
  int64_t column_tiles;  ///< of outputs
};

/// The tile that suits the rows that an expert has if all have as many. Which tile holds a row is a matter of the step;
/// its numbers are not.
inline ExpertGemmPlan expert_gemm_plan(const ExpertLinearArgs& a) {
  const int64_t mean = a.capacity * a.top_k / (a.experts > 0 ? a.experts : 1);
  ExpertGemmPlan plan = {};
  plan.tile_rows = mean <= 16 ? 32 : mean <= 96 ? 64 : 128;
  plan.tile_columns = plan.tile_rows == 128 ? 128 : 64;
  plan.tiles = most_expert_tiles(a, plan.tile_rows);
  plan.column_tiles = expert_output_tiles(a, plan.tile_columns);
  return plan;
}

}  // namespace graft::kernels::cuda
