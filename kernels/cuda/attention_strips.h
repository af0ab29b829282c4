// How a warp that reads split keys gets them: strips of 16 keys and values, copied to two stages of shared memory that
// are its own. Where a strip lies within one block of the cache (blocks of a multiple of 16 keys), one look into the
// block table, a strip ahead, is all that a strip needs; where moreover heads are as wide as rows of the stages, the
// copies differ by constants.
#pragma once

#include "kernels/cuda/attention_fragments.h"

namespace graft::kernels::cuda {
namespace {

/// The strips of one warp, from the last to the first; those of a part are dealt to its warps in runs.
template <int width>
class Strips {
 public:
  static constexpr int stride = width + padding;
  static constexpr int stage = 2 * strip_keys * stride;  ///< elements: keys, then values

  int32_t count;  ///< of this warp
  int32_t last;   ///< first key of its last strip, a multiple of strip_keys

  /// `stages`: two of them, this warp's.
  __device__ Strips(const AttentionArgs& a, const SplitRule& rule, const Work& work, int32_t warp, int32_t warps,
                    uint16_t* stages)
      : stages_(stages) {
    const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
    const int32_t begin = work.begin / strip_keys * strip_keys;
    const int32_t all = work.begin < work.end ? (work.end - begin + strip_keys - 1) / strip_keys : 0;
    const int32_t each = (all + warps - 1) / warps;
    count = most(0, least(each, all - warp * each));
    first_ = begin + warp * each * strip_keys;
    last = first_ + (count - 1) * strip_keys;
    next_ = last;

    const int32_t size = a.cache.block_size;
    const int32_t dim = a.cache.head_dim, row = lane / per_row, column = lane % per_row * 8;
    in_one_block_ = size % strip_keys == 0;
    to_ = row * stride + column;
    const int64_t mine = int64_t{row} * dim + column;
    key_ = static_cast<const uint16_t*>(a.cache.key) + mine;
    value_ = static_cast<const uint16_t*>(a.cache.value) + mine;
    if (!in_one_block_ || count == 0) return;
    const int32_t block = rule.block_size.of(last);
    block_rows_ = size * a.cache.kv_heads;
    offset_begin_ = work.kv_head * size;
    offset_ = offset_begin_ + last - block * size;
    table_ = a.block_table + work.sequence * a.block_table_stride + block;
    block_ = *table_;
  }

  /// Asks for the next strip, if there is one, in stage `which`; commits in any case.
  /// `leave_out`: where the step's own keys belong, the stage is not touched. There are at most 16, at the end of a
  /// part, so only the first two strips can have some.
  template <bool leave_out>
  __device__ void ask(const AttentionArgs& a, const Work& work, int which) {
    if (next_ >= first_) {
      uint16_t* to = stages_ + which * stage + to_;
      const int32_t row = block_ * block_rows_ + offset_;
      if (in_one_block_ && a.cache.head_dim == width) {
        copy<leave_out>(work, to, int64_t{row} * width);
      } else {
        copy_carefully<leave_out>(a, work, to, row);
      }
      next_ -= strip_keys;
      offset_ -= strip_keys;
      if (in_one_block_ && offset_ < offset_begin_ && next_ >= first_) {
        offset_ += a.cache.block_size;
        block_ = *--table_;
      }
    }
    copy_async_commit();
  }

 private:
  static constexpr int per_row = width / 8;          // pieces of 16 bytes, one a lane
  static constexpr int rows_at_once = 32 / per_row;  // of a warp
  static constexpr int turns = strip_keys / rows_at_once;

  // Of both copies: what lies before the part or beyond its stored keys is not read and becomes zero, since 0 x a
  // number is 0.

  template <bool leave_out>
  __device__ void copy(const Work& work, uint16_t* to, int64_t from) const {
    const uint16_t *key = key_ + from, *value = value_ + from;
    const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
    const int32_t at = next_ + lane / per_row;
#pragma unroll
    for (int turn = 0; turn < turns; ++turn) {
      if (leave_out && is_fresh(work, at + turn * rows_at_once)) continue;
      const uint32_t bytes = is_stored(work, at + turn * rows_at_once) ? 16 : 0;
      copy_async_16(to + turn * rows_at_once * stride, key + turn * rows_at_once * width, bytes);
      copy_async_16(to + (turn * rows_at_once + strip_keys) * stride, value + turn * rows_at_once * width, bytes);
    }
  }

  template <bool leave_out>
  __device__ void copy_carefully(const AttentionArgs& a, const Work& work, uint16_t* to, int32_t first_row) const {
    const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), dim = a.cache.head_dim;
    if (lane % per_row * 8 >= dim) return;
#pragma unroll 1
    for (int32_t row = 0; row < strip_keys; row += rows_at_once) {
      const int32_t at = next_ + row + lane / per_row;
      if (leave_out && is_fresh(work, at)) continue;
      const bool there = is_stored(work, at);
      int64_t from = 0;
      if (in_one_block_) {
        from = int64_t{first_row + row} * dim;
      } else if (there) {
        from = int64_t{cache_row(a, work, at) - lane / per_row} * dim;
      }
      const uint32_t bytes = there ? 16 : 0;
      copy_async_16(to + row * stride, key_ + from, bytes);
      copy_async_16(to + (row + strip_keys) * stride, value_ + from, bytes);
    }
  }

  static __device__ bool is_stored(const Work& work, int32_t key) {
    return static_cast<uint32_t>(key - work.begin) < static_cast<uint32_t>(work.stored_end - work.begin);
  }
  static __device__ bool is_fresh(const Work& work, int32_t key) { return key >= work.stored_end && key < work.end; }

  uint16_t* stages_;
  int32_t first_;                 // key of its first strip
  int32_t next_;                  // key of the strip to ask for
  int32_t to_;                    // this lane's piece in a stage
  const uint16_t *key_, *value_;  // and in rows 0 ... of the cache
  bool in_one_block_;
  // The following for strips that lie in one block each.
  const int32_t* table_ = nullptr;         // entry of the block of the next strip
  int32_t block_ = 0;                      // that entry, looked up ahead
  int32_t block_rows_ = 0;                 // rows of a block, of all KV heads
  int32_t offset_ = 0, offset_begin_ = 0;  // rows from the block's first to the strip, and to the KV head
};

/// Zeros where a head is narrower than a row of the stages: keys and queries are multiplied all along.
template <int width>
__device__ inline void clear_columns(uint16_t* rows, int32_t count, int32_t dim) {
  const int32_t pieces = (width - dim) / 8;
  if (pieces == 0) return;
  for (int32_t i = static_cast<int32_t>(threadIdx.x % 32); i < count * pieces; i += 32) {
    store_16(rows + i / pieces * (width + padding) + dim + i % pieces * 8, make_uint4(0, 0, 0, 0));
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
