// How attention is dealt to a GPU: which rows go through split keys, into how many parts, with which blocks. Pure
// functions of what the host knows when a step is recorded (shapes and capacities, never lengths), so that one captured
// graph serves every length; what depends on lengths is found on the device from these numbers (attention_work.h).
#pragma once

#include "kernels/cuda/plan.h"

namespace graft::kernels::cuda {

/// A sequence with at most this many queries in a step is read by split keys (flash decoding, Dao et al. 2023), a
/// longer one by tiles of queries.
inline constexpr int32_t few_queries = 16;
/// Only the first rows of a step are split, so that scratch stays small in steps that are mostly prompt.
inline constexpr int32_t split_row_limit = 256;
/// Keys that a warp reads at a time; parts begin at a multiple of it.
inline constexpr int32_t strip_keys = 16;
/// Keys of one part: at least these, and a multiple of key_multiple.
inline constexpr int32_t shortest_split = 64;
inline constexpr int32_t key_multiple = 64;
inline constexpr int32_t most_splits = 64;
inline constexpr int32_t fewest_splits = 8;
/// Rows of a step up to which one sequence alone gets as many parts as fill the device.
inline constexpr int64_t decode_rows = 8;
/// Query rows (queries x heads of one KV head) of a tile. Tiles of 8 rows multiply both halves of queries and weights
/// at once; more heads to a KV head would read its keys twice with them.
inline constexpr int32_t split_tile_rows = 16;
inline constexpr int32_t packed_tile_rows = 8;
inline constexpr int32_t prefill_tile_rows = 64;
/// Warps that share the parts of one row and head when they are summed up, each taking every merge_warps-th.
inline constexpr int32_t merge_warps = 8;
/// Columns by which a row of keys or queries in shared memory is longer: no two rows of a fragment share a bank.
inline constexpr int32_t padding = 8;
/// The widest head of the general kernel; the tensor-core kernels stop at 256.
inline constexpr int32_t widest_head = 512;
inline constexpr int32_t widest_fragment_head = 256;

/// What the host knows of an attention op.
struct AttentionShape {
  int64_t capacity;
  int32_t heads;
  int32_t kv_heads;
  int32_t head_dim;
  int64_t most_context;  ///< block_table_stride * block_size
  bool half_cache;       ///< bfloat16 or float16: tensor cores
  bool aligned;          ///< keys and values start on 16 bytes
  int32_t block_size;    ///< keys of a block of the cache
};

/// The part of the plan that the kernels need to find their work.
struct SplitRule {
  int32_t max_splits;  ///< parts of one sequence; partial results are laid out by it
  int32_t split_rows;  ///< rows of a step that have room for partial results
  Division group;      ///< query heads of a KV head
  Division heads, kv_heads, splits, block_size;
};

struct AttentionLaunch {
  int32_t grid;
  int32_t threads;
  int32_t shared_bytes;
};

struct AttentionPlan {
  bool fragments;     ///< tensor cores, with keys padded to `width`; else the general kernel
  int32_t width;      ///< 64, 128 or 256
  int32_t tile_rows;  ///< of the tiles of few queries: packed_tile_rows or split_tile_rows
  SplitRule rule;
  int64_t scratch_bytes;
  AttentionLaunch split;    ///< sequences of few queries
  AttentionLaunch merge;    ///< sums up the parts; grid 0: there are none
  AttentionLaunch prefill;  ///< the other sequences; grid 0: no sequence can have more than few_queries
};

inline int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

/// Parts into which the keys of a sequence may be split: enough that one sequence alone puts two blocks on each
/// multiprocessor, also where a few more may run; with more rows than those fewer parts a row, since together they fill
/// the device and scratch is rows x parts. Never more than the longest context has.
inline SplitRule split_rule(const AttentionShape& shape, int32_t multiprocessors) {
  const int64_t rows = at_least(1, at_most(shape.capacity, split_row_limit));
  const int64_t alone = at_most(most_splits, divide_up(int64_t{2} * multiprocessors, shape.kv_heads));
  const int64_t wanted = rows <= decode_rows ? alone : at_least(fewest_splits, alone * decode_rows / rows);
  const int64_t reachable = at_least(1, divide_up(shape.most_context, shortest_split));
  const auto splits = static_cast<int32_t>(at_most(wanted, reachable));
  return {splits,
          static_cast<int32_t>(rows),
          division(shape.heads / shape.kv_heads),
          division(shape.heads),
          division(shape.kv_heads),
          division(splits),
          division(static_cast<int32_t>(at_least(1, shape.block_size)))};
}

/// Shared memory of the tensor-core kernel for few queries: maximum and denominator of each warp's rows, the query in
/// two halves (high and low parts), and for each warp two stages of keys and values. The merge of the warps fits into
/// the stages.
constexpr int32_t split_warps(int32_t width) { return width == 256 ? 2 : 4; }
inline int32_t split_shared_bytes(int32_t width, int32_t tile_rows) {
  const int32_t row = (width + padding) * 2;
  return split_warps(width) * (8 * tile_rows + 2 * 2 * strip_keys * row) + 2 * tile_rows * row;
}

/// Its blocks that a multiprocessor is to hold at once: on capability 9.0 shared memory has room for so many.
constexpr int32_t split_blocks(int32_t width, int32_t tile_rows) {
  return width == 64 ? 4 : tile_rows == packed_tile_rows ? 3 : 2;
}

/// Keys of a stage and shared memory of the tensor-core kernel for many queries.
inline int32_t prefill_keys(int32_t width) { return width == 256 ? 32 : 64; }
inline int32_t prefill_shared_bytes(int32_t width) {
  const int32_t row = (width + padding) * 2;
  return prefill_tile_rows * row + 2 * 2 * prefill_keys(width) * row;
}

/// Keys at once and shared memory of the general kernel: queries, sums, keys (or values), scores, three numbers a row.
inline int32_t general_keys(int32_t head_dim) { return head_dim > 256 ? 16 : 32; }
inline int32_t general_shared_bytes(int32_t head_dim) {
  const int32_t keys = general_keys(head_dim), row = head_dim | 1;
  return 4 * (2 * split_tile_rows * head_dim + keys * row + split_tile_rows * (keys + 1) + 3 * split_tile_rows);
}

/// The most tiles that `rows` rows of any number of sequences can make.
inline int64_t most_tiles(int64_t rows, int32_t group, int32_t tile_rows) { return rows * divide_up(group, tile_rows); }

inline AttentionPlan attention_plan(const AttentionShape& shape, int32_t multiprocessors) {
  AttentionPlan plan = {};
  const int32_t group = shape.heads / shape.kv_heads;
  const int64_t capacity = at_least(1, shape.capacity);
  plan.fragments =
      shape.half_cache && shape.aligned && shape.head_dim % 8 == 0 && shape.head_dim <= widest_fragment_head;
  plan.width = shape.head_dim <= 64 ? 64 : shape.head_dim <= 128 ? 128 : 256;
  plan.tile_rows = plan.fragments && group <= packed_tile_rows ? packed_tile_rows : split_tile_rows;
  plan.rule = split_rule(shape, multiprocessors);

  const int64_t parts = int64_t{plan.rule.split_rows} * shape.heads * plan.rule.max_splits;
  if (plan.rule.max_splits > 1) plan.scratch_bytes = parts * (shape.head_dim + 2) * 4;

  // Blocks take work in turn, so a grid larger than what can be resident only costs time.
  const int64_t resident = int64_t{multiprocessors} * 4;
  const int32_t of_one = plan.fragments ? split_blocks(plan.width, plan.tile_rows) : 4;
  const int64_t split_work =
      most_tiles(plan.rule.split_rows, group, plan.tile_rows) * shape.kv_heads * plan.rule.max_splits;
  plan.split.grid = static_cast<int32_t>(at_most(split_work, int64_t{multiprocessors} * of_one));
  plan.split.threads = plan.fragments ? 32 * split_warps(plan.width) : 128;
  plan.split.shared_bytes =
      plan.fragments ? split_shared_bytes(plan.width, plan.tile_rows) : general_shared_bytes(shape.head_dim);

  if (plan.rule.max_splits > 1) {
    const int64_t pieces = int64_t{plan.rule.split_rows} * shape.heads;
    plan.merge = {static_cast<int32_t>(at_most(pieces, int64_t{multiprocessors} * 8)), 32 * merge_warps,
                  merge_warps * shape.head_dim * 4};
  }
  if (capacity > few_queries) {
    const int32_t tile_rows = plan.fragments ? prefill_tile_rows : split_tile_rows;
    const int64_t work = most_tiles(capacity, group, tile_rows) * shape.kv_heads;
    plan.prefill.grid = static_cast<int32_t>(at_most(work, resident));
    plan.prefill.threads = 128;
    plan.prefill.shared_bytes =
        plan.fragments ? prefill_shared_bytes(plan.width) : general_shared_bytes(shape.head_dim);
  }
  return plan;
}

}  // namespace graft::kernels::cuda
