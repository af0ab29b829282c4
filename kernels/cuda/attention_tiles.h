// What a warp that reads split keys does with a strip of them. Few rows need little arithmetic, so queries and weights
// are multiplied in two 16-bit halves, the nearest number and what it leaves: products are as good as float32 ones.
// A tile of 16 rows takes two products for that; a tile of 8 has the high halves in rows 0 to 7 of a product and the
// low ones in rows 8 to 15, so that one gives both and the same lane adds them up.
#pragma once

#include "kernels/cuda/attention_strips.h"

namespace graft::kernels::cuda {
namespace {

constexpr float log2_of_e = 1.44269504f, natural_log_of_2 = 0.693147181f;

/// A row's numbers after a warp has seen its keys, in the units of exp.
struct RowNumbers {
  float maximum, denominator;
};

/// rows: 8 or 16. start(), then take() for every strip, then finish(); row() and sum() of what lane l holds: rows
/// l / 4 + 8 half, columns 8 j + 2 (l % 4) and the next.
template <class Type, int width, int rows>
struct SplitTile;

template <class Type, int width>
struct SplitTile<Type, width, 16> {
  static constexpr int halves = 2;
  static constexpr int stride = width + padding;
  RowRule rules[2];
  RunningSoftmax<width> softmax;

  __device__ void start(const AttentionArgs& a, const Work& work, bool with_sink) {
    const int32_t row = static_cast<int32_t>(threadIdx.x % 32 / 4);
    rules[0] = RowRule(a, work, row);
    rules[1] = RowRule(a, work, row + 8);
    softmax.start();
    if (!with_sink) return;
    softmax.start_with_sink(a, work, row, 0);
    softmax.start_with_sink(a, work, row + 8, 1);
  }
  __device__ void hold_queries(const uint16_t*) {}

  __device__ void take(const AttentionArgs& a, const uint16_t* queries, const uint16_t* keys, int32_t first_key) {
    float scores[2][4] = {};
#pragma unroll 4  // all at once, heads of 256 take more registers than there are
    for (int s = 0; s < width / 16; ++s) {
      uint32_t query[2][4];
      load_query<width>(query[0], queries, s);
      load_query<width>(query[1], queries + 16 * stride, s);
      multiply_keys<Type, width>(query, keys, s, scores);
    }
    softmax.take(a, rules, first_key, scores);
    uint32_t weights[2][4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float first = scores[i / 2][i % 2 * 2], second = scores[i / 2][i % 2 * 2 + 1];
      weights[0][i] = Type::pack(first, second);
      weights[1][i] = Type::pack(first - Type::low(weights[0][i]), second - Type::high(weights[0][i]));
    }
    // Where registers are short, a width that the compiler does not know keeps it from loading everything ahead.
    const int32_t columns = width == 256 ? a.cache.head_dim : width;
    multiply_values<Type, width>(weights, keys + strip_keys * stride, columns, softmax.sums);
  }

  __device__ void finish() { softmax.finish(); }
  __device__ RowNumbers row(int half) const { return {softmax.maximum[half], softmax.denominator[half]}; }
  __device__ float2 sum(int j, int half) const {
    return make_float2(softmax.sums[j][2 * half], softmax.sums[j][2 * half + 1]);
  }
};

template <class Type, int width>
struct SplitTile<Type, width, 8> {
  static constexpr int halves = 1;
  static constexpr int stride = width + padding;
  /// Sums are scaled anew only when a score exceeds what they are relative to by more than this (in powers of 2): at
  /// 2^8 nothing is near to overflow, in float16 neither, and after a few strips it hardly ever happens.
  static constexpr float slack = 8.0f;
  static constexpr bool holds = width <= 128;  // the query, in registers

  RowRule rule;
  int32_t plain_begin, plain_end;  // keys that all rows see, with nothing to do to their scores but to scale them
  float scale;                     // of scores for powers of 2
  float top, limit;                // weights are 2^(score - top); a score beyond the limit moves it
  float denominator;               // this lane's part
  uint32_t query[holds ? width / 16 : 1][4];
  float sums[width / 8][4];  // [0], [1] with high halves of weights, [2], [3] with low ones

  __device__ void start(const AttentionArgs& a, const Work& work, bool with_sink) {
    const int32_t row = static_cast<int32_t>(threadIdx.x % 32 / 4);
    rule = RowRule(a, work, row);
    scale = a.scale * log2_of_e;
    const int32_t first = work.first_position + work.query_of(0);
    const int32_t last = work.first_position + work.query_of(work.rows - 1);
    plain_begin = a.window > 0 ? most(work.begin, last - a.window + 1) : work.begin;
    plain_end = a.causal ? least(work.end, first + 1) : work.end;
    if (a.softcap > 0 || a.alibi_slopes != nullptr) plain_end = plain_begin;
    top = 0;
    limit = -__builtin_inff();
    denominator = 0;
#pragma unroll
    for (int j = 0; j < width / 8; ++j) sums[j][0] = sums[j][1] = sums[j][2] = sums[j][3] = 0;
    if (!with_sink || a.sinks == nullptr || row >= work.rows) return;
    const float sink = a.sinks[work.head_of(row)];
    if (sink == -__builtin_inff()) return;
    top = sink * log2_of_e;
    limit = top + slack;
    denominator = threadIdx.x % 4 == 0 ? 1.0f : 0.0f;
  }

  __device__ void hold_queries(const uint16_t* queries) {
    if constexpr (holds) {
#pragma unroll
      for (int s = 0; s < width / 16; ++s) load_query<width>(query[s], queries, s);
    }
  }

  __device__ void take(const AttentionArgs& a, const uint16_t* queries, const uint16_t* keys, int32_t first_key) {
    float products[4][4] = {};  // of keys 0 to 7 and 8 to 15 with even and odd steps: shorter chains
#pragma unroll
    for (int s = 0; s < width / 16; ++s) {
      uint32_t loaded[4], b[4];
      if constexpr (!holds) load_query<width>(loaded, queries, s);
      const uint32_t(&mine)[4] = holds ? query[holds ? s : 0] : loaded;
      load_keys(b, keys, s);
      Type::multiply(products[s % 2 * 2], mine, b[0], b[1]);
      Type::multiply(products[s % 2 * 2 + 1], mine, b[2], b[3]);
    }
    float scores[4];  // of keys 2t, 2t + 1, 2t + 8, 2t + 9
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float(&even)[4] = products[i / 2], (&odd)[4] = products[2 + i / 2];
      scores[i] = (even[i % 2] + odd[i % 2]) + (even[i % 2 + 2] + odd[i % 2 + 2]);
    }
    uint32_t weights[4];
    weigh(a, first_key, scores, weights);
    const uint32_t(&packed)[1][4] = reinterpret_cast<const uint32_t(&)[1][4]>(weights);
    multiply_values<Type, width>(packed, keys + strip_keys * stride, width, sums);
  }

  __device__ void finish() {
    denominator += __shfl_xor_sync(all_lanes, denominator, 1);
    denominator += __shfl_xor_sync(all_lanes, denominator, 2);
  }
  __device__ RowNumbers row(int) const {
    return {limit == -__builtin_inff() ? limit : top * natural_log_of_2, denominator};
  }
  __device__ float2 sum(int j, int) const { return make_float2(sums[j][0] + sums[j][2], sums[j][1] + sums[j][3]); }

 private:
  __device__ static void load_keys(uint32_t (&b)[4], const uint16_t* keys, int step) {
    const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
    load_matrices(b, keys + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8 + step * 16);
  }

  /// From products to weights as the second product wants them.
  __device__ void weigh(const AttentionArgs& a, int32_t first_key, float (&scores)[4], uint32_t (&weights)[4]) {
    const bool plain = first_key >= plain_begin && first_key + strip_keys <= plain_end;  // the same in all lanes
    if (plain) {
#pragma unroll
      for (int i = 0; i < 4; ++i) scores[i] *= scale;
    } else {
      const int32_t key = first_key + 2 * static_cast<int32_t>(threadIdx.x % 4);
#pragma unroll
      for (int i = 0; i < 4; ++i) scores[i] = rule.score(a, key + i / 2 * 8 + i % 2, scores[i]) * log2_of_e;
    }
    float found = fmaxf(fmaxf(scores[0], scores[1]), fmaxf(scores[2], scores[3]));
    found = fmaxf(found, __shfl_xor_sync(all_lanes, found, 1));
    found = fmaxf(found, __shfl_xor_sync(all_lanes, found, 2));
    if (__any_sync(all_lanes, found > limit)) raise(found);
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[i] = exp2_fast(scores[i] - top);
    denominator += (scores[0] + scores[1]) + (scores[2] + scores[3]);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float first = scores[2 * i], second = scores[2 * i + 1];
      weights[2 * i] = Type::pack(first, second);
      weights[2 * i + 1] = Type::pack(first - Type::low(weights[2 * i]), second - Type::high(weights[2 * i]));
    }
  }

  /// Rows whose limit was not exceeded stay as they are, bit by bit.
  __device__ void raise(float found) {
    float factor = 1.0f;
    if (found > limit) {
      factor = limit == -__builtin_inff() ? 0.0f : exp2_fast(top - found);
      top = found;
      limit = found + slack;
    }
    denominator *= factor;
#pragma unroll
    for (int j = 0; j < width / 8; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[j][i] *= factor;
    }
  }
};

}  // namespace
}  // namespace graft::kernels::cuda
