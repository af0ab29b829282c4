// Which part of the step a block works on, found on the device from query_starts and context_lengths, and the rules
// that turn a raw score into what goes under the exponential. Shared by all attention kernels.
#pragma once

#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/attention.h"

namespace graft::kernels::cuda {
namespace {

__device__ constexpr int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
__device__ constexpr int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

/// One sequence of the step and how its keys are split. The same whatever else is in the batch.
struct SequenceShape {
  int32_t first_row;  ///< of the step
  int32_t queries;
  int32_t context;
  int32_t first_key;     ///< of all its queries, rounded down to a strip
  int32_t split_length;  ///< keys of a part, the last part may have fewer
  int32_t splits;        ///< at least 1

  SequenceShape() = default;
  __device__ SequenceShape(const AttentionArgs& a, const SplitRule& rule, int32_t sequence) {
    first_row = a.query_starts[sequence];
    queries = a.query_starts[sequence + 1] - first_row;
    context = a.context_lengths[sequence];
    const int32_t seen_from = a.window > 0 ? context - queries - a.window + 1 : 0;
    first_key = most(0, seen_from) / strip_keys * strip_keys;
    const int32_t keys = most(1, context - first_key);
    const int32_t even = rule.splits.of(keys + rule.max_splits - 1);
    split_length = most(shortest_split, (even + key_multiple - 1) / key_multiple * key_multiple);
    // Counted in key_multiple, so that what is left of a division is unsigned and short.
    const auto units = static_cast<uint32_t>(keys + key_multiple - 1) / key_multiple;
    const uint32_t each = static_cast<uint32_t>(split_length) / key_multiple;
    splits = each == 1 ? static_cast<int32_t>(units) : static_cast<int32_t>((units + each - 1) / each);
  }

  /// The one that lane `owner` has; called by whole warps.
  __device__ SequenceShape of_lane(int32_t owner) const {
    SequenceShape shape = *this;
    shape.first_row = __shfl_sync(all_lanes, first_row, owner);
    shape.queries = __shfl_sync(all_lanes, queries, owner);
    shape.context = __shfl_sync(all_lanes, context, owner);
    shape.first_key = __shfl_sync(all_lanes, first_key, owner);
    shape.split_length = __shfl_sync(all_lanes, split_length, owner);
    shape.splits = __shfl_sync(all_lanes, splits, owner);
    return shape;
  }

  /// Whether it is read by split keys rather than by tiles of queries.
  __device__ bool is_few(const SplitRule& rule) const {
    return queries <= few_queries && first_row + queries <= rule.split_rows;
  }
};

/// A tile of query rows of one KV head, and the keys that the block reads for it.
struct Work {
  int32_t sequence, kv_head, split, splits;
  int32_t first_row;       ///< of the sequence, in the step
  int32_t first_packed;    ///< first row of the tile among the sequence's queries x heads of the group
  int32_t rows;            ///< of the tile
  int32_t first_position;  ///< of the sequence's first query
  int32_t context;
  int32_t begin, end;  ///< keys
  int32_t stored_end;  ///< those before it are in the cache; `end`, unless the step's keys are not yet there

  Division group;  ///< heads to a KV head

  __device__ int32_t query_of(int32_t row) const { return group.of(first_packed + row); }
  __device__ int32_t head_of(int32_t row) const {
    return kv_head * group.by + first_packed + row - query_of(row) * group.by;
  }
};

/// Finds piece `index` of the work on sequences of few queries (or of the others). Called by whole warps, all lanes
/// with the same index; false: there are not that many pieces. Neighbouring pieces are the KV heads of the same keys;
/// tiles of many queries come last first, since with a causal mask those take longest.
__device__ inline bool find_work(const AttentionArgs& a, const SplitRule& rule, bool few, int32_t tile_rows,
                                 int32_t index, Work& work) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), sequences = *a.sequences;
  const int32_t group = rule.group.by;
  for (int32_t base = 0; base < sequences; base += 32) {
    const SequenceShape own(a, rule, least(base + lane, sequences - 1));
    int32_t pieces = 0;
    if (base + lane < sequences && own.is_few(rule) == few) {
      pieces = (own.queries * group + tile_rows - 1) / tile_rows * a.cache.kv_heads * (few ? own.splits : 1);
    }
    int32_t until = pieces;  // of this lane's sequence and those before it
    for (int32_t step = 1; step < least(32, sequences - base); step *= 2) {
      const int32_t before = __shfl_up_sync(all_lanes, until, step);
      if (lane >= step) until += before;
    }
    const unsigned reached = __ballot_sync(all_lanes, base + lane < sequences && until > index);
    if (reached == 0) {
      index -= __shfl_sync(all_lanes, until, least(31, sequences - base - 1));
      continue;
    }
    const int32_t owner = __ffs(static_cast<int>(reached)) - 1;
    index -= __shfl_sync(all_lanes, until - pieces, owner);

    const SequenceShape shape = own.of_lane(owner);
    const int32_t packed = shape.queries * group, tiles = (packed + tile_rows - 1) / tile_rows;
    const int32_t part = rule.kv_heads.of(index);
    work.sequence = base + owner;
    work.kv_head = index - part * a.cache.kv_heads;
    work.splits = few ? shape.splits : 1;
    int32_t tile = few ? 0 : tiles - 1 - part;
    if (few && tiles > 1) tile = static_cast<int32_t>(static_cast<uint32_t>(part) / static_cast<uint32_t>(work.splits));
    work.split = few ? part - tile * work.splits : 0;
    work.group = rule.group;
    work.first_row = shape.first_row;
    work.first_packed = tile * tile_rows;
    work.rows = least(tile_rows, packed - work.first_packed);
    work.context = shape.context;
    work.first_position = shape.context - shape.queries;

    const int32_t first = work.first_position + work.query_of(0);
    const int32_t last = work.first_position + work.query_of(work.rows - 1);
    work.begin = a.window > 0 ? most(0, first - a.window + 1) : 0;
    work.end = a.causal ? least(last + 1, shape.context) : shape.context;
    if (few) {
      const int32_t from = shape.first_key + work.split * shape.split_length;
      work.begin = most(work.begin, from);
      work.end = least(work.end, from + shape.split_length);
    }
    work.stored_end = work.end;
    return true;
  }
  return false;
}

/// To the nearest bfloat16 number, ties to even; for finite values.
__device__ inline float as_bfloat16(float value) {
  const uint32_t bits = __float_as_uint(value);
  return __uint_as_float((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}

/// How one query row sees keys.
struct RowRule {
  int32_t begin, end;  ///< keys it sees; begin >= end: none
  int32_t position;
  float slope;  ///< of ALiBi, 0: none
  float own;    ///< what a rounded ALiBi subtracts

  __device__ RowRule() : begin(0), end(0), position(0), slope(0), own(0) {}
  __device__ RowRule(const AttentionArgs& a, const Work& work, int32_t row) : RowRule() {
    if (row >= work.rows) return;
    position = work.first_position + work.query_of(row);
    begin = a.window > 0 ? most(work.begin, position - a.window + 1) : work.begin;
    end = a.causal ? least(work.end, position + 1) : work.end;
    if (a.alibi_slopes != nullptr) {
      slope = a.alibi_slopes[work.head_of(row)];
      own = as_bfloat16(slope * as_bfloat16(static_cast<float>(position)));
    }
  }

  /// Whether it sees all keys from first to last, so that a score is no more than the scaled product.
  __device__ bool sees_plainly(const AttentionArgs& a, int32_t first, int32_t last) const {
    return a.softcap <= 0 && a.alibi_slopes == nullptr && first >= begin && last < end;
  }

  /// The score of a key from the raw product; -inf where it is not seen.
  __device__ float score(const AttentionArgs& a, int32_t key, float product) const {
    if (key < begin || key >= end) return -__builtin_inff();
    float value = product * a.scale;
    if (a.softcap > 0) value = a.softcap * tanhf(value / a.softcap);
    if (a.alibi_slopes == nullptr) return value;
    if (a.rounded_alibi > 0) {
      const float there = as_bfloat16(slope * as_bfloat16(static_cast<float>(key)));
      return value + a.rounded_alibi * (there - own);
    }
    return value + slope * static_cast<float>(key - position);
  }
};

/// Row of the cache (head_dim elements each) where the work's KV head keeps `key`.
__device__ inline int32_t cache_row(const AttentionArgs& a, const Work& work, int32_t key) {
  const int32_t size = a.cache.block_size, number = key / size;
  const int32_t block = a.block_table[work.sequence * a.block_table_stride + number];
  return (block * a.cache.kv_heads + work.kv_head) * size + (key - number * size);
}

/// Where partial results of a row lie in scratch: sums [rows, heads, splits, head_dim], then maximum and denominator
/// [rows, heads, splits, 2].
struct Partials {
  float* sums;
  float* numbers;

  __device__ Partials(const AttentionArgs& a, const SplitRule& rule)
      : sums(static_cast<float*>(a.scratch)),
        numbers(sums + int64_t{rule.split_rows} * a.heads * rule.max_splits * a.cache.head_dim) {}
};

__device__ inline int64_t partial_index(const AttentionArgs& a, const SplitRule& rule, int32_t row, int32_t head,
                                        int32_t split) {
  return (int64_t{row} * a.heads + head) * rule.max_splits + split;
}

}  // namespace
}  // namespace graft::kernels::cuda
