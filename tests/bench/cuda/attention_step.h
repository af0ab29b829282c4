// A step of attention in a device's memory, with the rotation and the write to the cache that come before it.
#pragma once

#include <numeric>

#include "kernels/spec/convert.h"
#include "kernels/spec/rotary_attention.h"
#include "tests/bench/cuda/kernel_bench.h"
#include "tests/bench/cuda/shapes.h"

namespace graft::bench {

/// What queries and keys are normalised by: nothing, RMS of each head (Qwen3), RMS of the whole projection (OLMo 2).
enum class QkNorm { none, heads, whole };

/// `count` sequences of a step, each with `queries` queries at the end of `context` keys.
struct Sequences {
  int32_t count, queries, context;
};

/// Of bfloat16 or another type, in memory; blocks of the cache are one behind the other.
class AttentionStep {
 public:
  AttentionStep(Bench& bench, const Heads& heads, const Sequences& of, DType dtype, int32_t block_size)
      : bench_(bench), of_(of), rows_(of.count * of.queries), blocks_((of.context + block_size - 1) / block_size) {
    std::vector<int32_t> starts, table(static_cast<size_t>(of.count * blocks_));
    for (int32_t s = 0; s <= of.count; ++s) starts.push_back(s * of.queries);
    std::iota(table.begin(), table.end(), 0);
    args_.sequences = bench.number({of.count});
    args_.capacity = rows_;
    args_.query_stride = int64_t{heads.queries + 2 * heads.kv} * heads.dim;
    args_.query = query_ = bench.scratch<float>(rows_ * args_.query_stride);
    args_.query_starts = bench.number(starts);
    args_.context_lengths = bench.number(std::vector<int32_t>(static_cast<size_t>(of.count), of.context));
    args_.block_table = bench.number(table);
    args_.block_table_stride = blocks_;
    args_.cache = {nullptr, nullptr, dtype, block_size, heads.kv, heads.dim};
    args_.heads = heads.queries;
    args_.scale = 0.088f;
    args_.causal = true;
    args_.out_stride = int64_t{heads.queries} * heads.dim;
    args_.out = bench.scratch<float>(rows_ * args_.out_stride);
  }

  const AttentionArgs& args() const { return args_; }
  /// The projection's output, of which queries are the first part of a row.
  float* qkv() const { return query_; }

  int64_t key_bytes() const { return int64_t{args_.cache.kv_heads} * args_.cache.head_dim * element_bytes(); }
  /// Keys and values that the sequences have, or that are written.
  int64_t cache_bytes() const { return int64_t{2} * of_.count * of_.context * key_bytes(); }
  int64_t new_bytes() const { return int64_t{2} * rows_ * key_bytes(); }
  int64_t out_bytes() const { return rows_ * args_.out_stride * 4; }
  int64_t qkv_bytes() const { return rows_ * args_.query_stride * 4; }
  int64_t angle_bytes() const { return rows_ * args_.cache.head_dim * 4; }
  /// Both products, of the keys that a query sees.
  int64_t operations() const {
    const int64_t seen = int64_t{of_.queries} * of_.context - int64_t{of_.queries} * (of_.queries - 1) / 2;
    return 4 * of_.count * seen * args_.out_stride;
  }

  void renew(PagedCache& cache) const {
    const int64_t side = int64_t{of_.count} * blocks_ * cache.block_size * key_bytes();
    cache.key = bench_.next(side);
    cache.value = bench_.next(side);
  }

  /// What comes before: rotation of whole heads, and the new keys and values to the ends of the sequences.
  RotaryCacheArgs rotary(QkNorm norm = QkNorm::none) {
    const Heads heads = {args_.heads, args_.cache.kv_heads, args_.cache.head_dim};
    std::vector<int32_t> slots;
    for (int32_t s = 0; s < of_.count; ++s) {
      for (int32_t q = 0; q < of_.queries; ++q) {
        slots.push_back(s * blocks_ * args_.cache.block_size + of_.context - of_.queries + q);
      }
    }
    RotaryCacheArgs rotary = {};
    rotary.rows = bench_.number({rows_});
    rotary.capacity = rows_;
    rotary.qkv = query_;
    rotary.qkv_stride = args_.query_stride;
    rotary.heads = heads.queries;
    if (norm != QkNorm::none) {
      const bool whole = norm == QkNorm::whole;
      rotary.query_norm = bench_.scratch<uint16_t>(whole ? heads.queries * heads.dim : heads.dim);
      rotary.key_norm = bench_.scratch<uint16_t>(whole ? heads.kv * heads.dim : heads.dim);
      rotary.norm_dtype = DType::bfloat16;
      rotary.norm_epsilon = 1e-6f;
      rotary.norm_whole = whole;
    }
    rotary.cosine = bench_.scratch<float>(int64_t{rows_} * heads.dim / 2);
    rotary.sine = bench_.scratch<float>(int64_t{rows_} * heads.dim / 2);
    rotary.rotary_dim = heads.dim;
    rotary.slots = bench_.number(slots);
    rotary.cache = args_.cache;
    return rotary;
  }

  /// Bytes: keys and values, queries, out.
  Kernel attention() {
    return bench_.kernel(Op::attention, args_, Work(cache_bytes() + 2 * out_bytes(), operations()),
                         [self = *this](AttentionArgs& a) { self.renew(a.cache); });
  }
  /// Bytes: rows of the projection, queries back, new keys and values, angles.
  Kernel rotary_cache(QkNorm norm = QkNorm::none) {
    return bench_.kernel(Op::rotary_cache, rotary(norm), Work(qkv_bytes() + out_bytes() + new_bytes() + angle_bytes()),
                         [self = *this](RotaryCacheArgs& a) { self.renew(a.cache); });
  }
  /// Bytes: those of the two, but that queries stay inside. Other memory than the step's where it is given.
  Kernel rotary_attention(QkNorm norm = QkNorm::none, float* given = nullptr, float* out = nullptr) {
    RotaryAttentionArgs both = {rotary(norm), args_, nullptr};
    if (given != nullptr) both.attention.query = both.rotary.qkv = given;
    if (out != nullptr) both.attention.out = out;
    const int64_t bytes = cache_bytes() + new_bytes() + qkv_bytes() + angle_bytes() + out_bytes();
    return bench_.kernel(Op::rotary_attention, both, Work(bytes, operations()), [self = *this](RotaryAttentionArgs& a) {
      self.renew(a.rotary.cache);
      a.attention.cache = a.rotary.cache;
    });
  }

 private:
  int64_t element_bytes() const { return float_dtype_bytes(args_.cache.dtype); }

  Bench& bench_;
  Sequences of_;
  int32_t rows_, blocks_;
  AttentionArgs args_ = {};
  float* query_ = nullptr;
};

}  // namespace graft::bench
