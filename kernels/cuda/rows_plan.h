// Launch plans of the ops that go over rows or elements and need little more than a grid. Pure functions of shapes.
// `wide`: four elements at a time, where addresses and widths allow it.
#pragma once

#include "kernels/cuda/grid_plan.h"

namespace graft::kernels::cuda {

inline int64_t pieces_of(int64_t width, bool wide) { return wide ? width / 4 : width; }

// --- a thread to a piece of a row

constexpr int activation_threads = 256;
inline Blocks activation_plan(int64_t width, bool wide, int64_t capacity, int32_t multiprocessors) {
  return blocks_for_rows(capacity, pieces_of(width, wide), activation_threads, multiprocessors);
}

constexpr int embedding_threads = 256;
inline Blocks embedding_plan(int64_t width, bool wide, int64_t capacity, int32_t multiprocessors) {
  const int64_t of_row = divide_up(pieces_of(width, wide), embedding_threads);
  return {grid_for_rows(capacity, of_row, multiprocessors), 1, embedding_threads};
}

constexpr int rotary_table_threads = 128;
inline Blocks rotary_table_plan(int32_t pairs, int64_t capacity, int32_t multiprocessors) {
  const int64_t of_row = divide_up(pairs, rotary_table_threads);
  return {grid_for_rows(capacity, of_row, multiprocessors), 1, rotary_table_threads};
}

/// Blocks that share a row, each with a piece to a thread.
constexpr int combine_threads = 128;
inline int64_t combine_parts(int64_t width, bool wide) { return divide_up(width, combine_threads * (wide ? 4 : 1)); }
inline Blocks combine_experts_plan(int64_t width, bool wide, int64_t capacity, int32_t multiprocessors) {
  return {grid_for(capacity * combine_parts(width, wide), 2 * multiprocessors), 1, combine_threads};
}

// --- a block, a warp or a thread to a row

constexpr int gather_threads = 256;
inline Blocks gather_rows_plan(int64_t capacity, int32_t multiprocessors) {
  return {grid_for_rows(capacity, 1, multiprocessors), 1, gather_threads};
}

/// A warp to a head, which waits in shared memory; a block to a row where the norm is over the whole projection.
constexpr int rotary_cache_warps = 8;
constexpr int64_t rotary_cache_partial_floats = 32;
inline Blocks rotary_cache_plan(int32_t heads, int32_t kv_heads, int32_t head_dim, bool whole, int64_t capacity,
                                int32_t multiprocessors) {
  const int64_t units = heads + 2 * int64_t{kv_heads}, of_row = whole ? 1 : divide_up(units, rotary_cache_warps);
  const int64_t floats = int64_t{rotary_cache_warps} * head_dim + (whole ? rotary_cache_partial_floats : 0);
  return {grid_for_rows(capacity, of_row, multiprocessors), 1, 32 * rotary_cache_warps, floats * 4};
}

constexpr int next_step_threads = 128;
inline Blocks next_step_plan(int64_t capacity, int32_t multiprocessors) {
  return {grid_for(divide_up(capacity, next_step_threads), multiprocessors), 1, next_step_threads};
}

// --- weights, while loading

constexpr int convert_threads = 256;
constexpr int convert_side = 32;  ///< of a tile; a column more in shared memory keeps the banks apart
constexpr int64_t convert_tile_bytes = int64_t{convert_side} * (convert_side + 1) * 4;
/// Elements one after another.
inline Blocks convert_run_plan(int64_t count, bool wide, int32_t multiprocessors) {
  return {grid_for(divide_up(pieces_of(count, wide), convert_threads), multiprocessors), 1, convert_threads};
}
/// Tiles, for rows that are far apart or columns that are.
inline int64_t convert_tile_count(int64_t rows, int64_t width) {
  return divide_up(rows, convert_side) * divide_up(width, convert_side);
}
inline Blocks convert_tiles_plan(int64_t rows, int64_t width, int32_t multiprocessors) {
  return {grid_for(convert_tile_count(rows, width), multiprocessors), 1, convert_threads, convert_tile_bytes};
}

/// A block to a row; a number for each of up to 32 warps.
constexpr int quantize_threads = 256;
inline Blocks quantize_groups_plan(int64_t rows, int32_t multiprocessors) {
  return {grid_for(rows, multiprocessors), 1, quantize_threads, 32 * 4};
}

}  // namespace graft::kernels::cuda
