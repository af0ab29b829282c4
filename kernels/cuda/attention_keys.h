// What attention over split keys finds done when it begins, and what it does itself: queries that are ready and keys
// that are all in the cache, or (rotary_attention) rows as the projection left them.
#pragma once

#include "kernels/cuda/attention_fragments.h"
#include "kernels/cuda/attention_heads.h"

namespace graft::kernels::cuda {
namespace {

struct StoredKeys {
  static constexpr bool fresh = false;
  static constexpr int rows_at_once = 8;  ///< queries that a warp has on the way to shared memory

  __device__ void set_stored_end(Work&) const {}
  template <int width>
  __device__ void prepare(HeadRow<width>&, int32_t) const {}
  template <class Type, int width>
  __device__ void put_fresh(const SplitRule&, const Work&, int32_t, int32_t, uint16_t*) const {}
};

/// The keys of the step are normalised, rotated and rounded to the cache's type by every block that reads them; the one
/// that has the query of the same row writes them to the cache, with their values.
struct FreshKeys {
  static constexpr bool fresh = true;
  static constexpr int rows_at_once = 2;  // registers
  RotaryCacheArgs rotary;

  /// The cache has the keys before the step's.
  __device__ void set_stored_end(Work& work) const {
    work.stored_end = most(work.begin, least(work.end, work.first_position));
  }

  template <int width>
  __device__ void prepare(HeadRow<width>& query, int32_t row) const {
    query.normalise(rotary, rotary.query_norm);
    query.rotate(rotary, row);
  }

  /// Puts the work's fresh keys of `count` strips, the first of which begins at key `last` and the next before it, into
  /// their stages. By a whole warp.
  template <class Type, int width>
  __device__ void put_fresh(const SplitRule& rule, const Work& work, int32_t last, int32_t count,
                            uint16_t* stages) const {
    constexpr int stride = width + padding;
    const int32_t begin = most(work.stored_end, last - (count - 1) * strip_keys);
    const int32_t end = count == 0 ? begin : least(work.end, last + strip_keys);
    const int32_t key_head = rotary.heads + work.kv_head, value_head = key_head + rotary.cache.kv_heads;
#pragma unroll 1
    for (int32_t key = begin; key < end; ++key) {
      const int32_t query = key - work.first_position, row = work.first_row + query;
      const int32_t packed = query * work.group.by - work.first_packed;
      const int32_t slot = packed >= 0 && packed < work.rows ? rotary.slots[row] : -1;
      // A stage has the rows of 16 keys, then of their values; the second one holds the strip before `last`.
      const int32_t staged_row = key >= last ? key - last : 3 * strip_keys - (last - key);
      uint16_t* staged = stages + staged_row * stride;
      HeadRow<width> own_key, own_value;
      load(row, key_head, own_key);
      load(row, value_head, own_value);
      own_key.normalise(rotary, rotary.key_norm);
      own_key.rotate(rotary, row);
      put<Type>(own_key, rule, work.kv_head, slot, rotary.cache.key, staged);
      put<Type>(own_value, rule, work.kv_head, slot, rotary.cache.value, staged + strip_keys * stride);
    }
  }

 private:
  template <int width>
  __device__ void load(int32_t row, int32_t head, HeadRow<width>& values) const {
    const int32_t dim = rotary.cache.head_dim;
    values.load(rotary.qkv + row * rotary.qkv_stride + int64_t{head} * dim, dim);
  }

  /// Into a stage and, with a slot, into the keys or values of the cache.
  template <class Type, int width>
  __device__ void put(const HeadRow<width>& head, const SplitRule& rule, int32_t kv_head, int32_t slot, void* side,
                      uint16_t* staged) const {
    const PagedCache& cache = rotary.cache;
    const int32_t block = rule.block_size.of(most(slot, 0)), offset = slot - block * cache.block_size;
    auto* stored = static_cast<uint16_t*>(side) +
                   ((int64_t{block} * cache.kv_heads + kv_head) * cache.block_size + offset) * cache.head_dim;
#pragma unroll
    for (int j = 0; j < HeadRow<width>::pieces; ++j) {
      const int32_t column = HeadRow<width>::column(j);
      if (column >= cache.head_dim) continue;
      const uint32_t pair = Type::stored(head.value[j][0], head.value[j][1]);
      *reinterpret_cast<uint32_t*>(staged + column) = pair;
      if (slot >= 0) *reinterpret_cast<uint32_t*>(stored + column) = pair;
    }
  }
};

}  // namespace
}  // namespace graft::kernels::cuda
