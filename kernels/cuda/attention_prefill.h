// Attention of many queries by tensor cores (Dao 2023, "FlashAttention-2"): four warps of 16 query rows each (queries x
// heads of a KV head) go together over the keys, two stages of which are under way. Queries and weights are rounded to
// the cache's type, sums are float32.
#pragma once

#include "kernels/cuda/attention_fragments.h"

namespace graft::kernels::cuda {
namespace {

constexpr int prefill_warps = 4;

/// Puts the 64 query rows into shared memory in the cache's type; rows and lanes that are not there are zero.
template <class Type, int width>
__device__ inline void round_queries(const AttentionArgs& a, const Work& work, uint16_t* rows) {
  const int32_t dim = a.cache.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < prefill_tile_rows * width / 4; i += 32 * prefill_warps) {
    const int32_t row = i / (width / 4), column = i % (width / 4) * 4;
    uint2 packed = make_uint2(0, 0);
    if (row < work.rows && column < dim) {
      const float* from =
          a.query + (work.first_row + work.query_of(row)) * a.query_stride + int64_t{work.head_of(row)} * dim + column;
      packed = make_uint2(Type::pack(from[0], from[1]), Type::pack(from[2], from[3]));
    }
    *reinterpret_cast<uint2*>(rows + row * (width + padding) + column) = packed;
  }
}

template <class Type, int width, int stage_keys>
__global__ void __launch_bounds__(32 * prefill_warps, 2) attend_prefill(AttentionArgs a, SplitRule rule) {
  constexpr int stride = width + padding, stage = 2 * stage_keys * stride, tiles = stage_keys / 8;
  constexpr int own_keys = stage_keys / prefill_warps;  // that a warp asks for
  auto* queries = static_cast<uint16_t*>(dynamic_shared());
  uint16_t* stages = queries + prefill_tile_rows * stride;
  let_next_kernel_start();
  wait_for_previous_kernel();

  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), lane = static_cast<int32_t>(threadIdx.x % 32);
  const int32_t dim = a.cache.head_dim;
  const uint16_t* mine = queries + warp * 16 * stride;
  Work work;
  for (int32_t index = static_cast<int32_t>(blockIdx.x); find_work(a, rule, false, prefill_tile_rows, index, work);
       index += static_cast<int32_t>(gridDim.x)) {
    __syncthreads();  // nobody reads the queries and keys of the piece before
    round_queries<Type, width>(a, work, queries);
    clear_tail<width>(stages, 4 * stage_keys, dim, static_cast<int32_t>(threadIdx.x), 32 * prefill_warps);

    const int32_t steps = (work.end - work.begin + stage_keys - 1) / stage_keys;
    const auto ask = [&](int32_t step) {
      uint16_t* keys = stages + step % 2 * stage + warp * own_keys * stride;
      const int32_t first = work.begin + step * stage_keys + warp * own_keys;
      if (step < steps) ask_for_keys<width, own_keys>(a, work, first, keys, keys + stage_keys * stride);
      copy_async_commit();
    };
    ask(0);
    ask(1);
    const int32_t rows[2] = {warp * 16 + lane / 4, warp * 16 + lane / 4 + 8};
    const RowRule rules[2] = {RowRule(a, work, rows[0]), RowRule(a, work, rows[1])};
    // The keys that any row of this warp sees: beyond them there is nothing to do but to copy for the others.
    const int32_t last = least(work.rows, warp * 16 + 16) - 1;
    const int32_t last_position = work.first_position + work.query_of(last);
    const int32_t end = warp * 16 >= work.rows ? 0 : a.causal ? least(work.end, last_position + 1) : work.end;
    RunningSoftmax<width> softmax;
    softmax.start();
    softmax.start_with_sink(a, work, rows[0], 0);
    softmax.start_with_sink(a, work, rows[1], 1);

    for (int32_t step = 0; step < steps; ++step) {
      const uint16_t* keys = stages + step % 2 * stage;
      const int32_t first = work.begin + step * stage_keys;
      copy_async_wait<1>();
      __syncthreads();
      if (first < end) {
        float scores[tiles][4] = {};
#pragma unroll
        for (int s = 0; s < width / 16; ++s) {
          if (s * 16 >= dim) break;
          uint32_t query[1][4];
          load_query<width>(query[0], mine, s);
          multiply_keys<Type, width>(query, keys, s, scores);
        }
        softmax.take(a, rules, first, scores);
#pragma unroll
        for (int j = 0; j < tiles; j += 2) {
          uint32_t weights[1][4];
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            weights[0][i] = Type::pack(scores[j + i / 2][i % 2 * 2], scores[j + i / 2][i % 2 * 2 + 1]);
          }
          multiply_values<Type, width>(weights, keys + (stage_keys + j * 8) * stride, dim, softmax.sums);
        }
      }
      __syncthreads();
      ask(step + 2);
    }
    copy_async_wait<0>();
    softmax.finish();

#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (rows[half] >= work.rows) continue;
      float* to = a.out + (work.first_row + work.query_of(rows[half])) * a.out_stride +
                  int64_t{work.head_of(rows[half])} * dim + 2 * (lane % 4);
      const float inverse = softmax.denominator[half] > 0 ? 1.0f / softmax.denominator[half] : 0.0f;
#pragma unroll
      for (int j = 0; j < width / 8; ++j) {
        if (j * 8 >= dim) break;
        to[8 * j] = softmax.sums[j][2 * half] * inverse;
        to[8 * j + 1] = softmax.sums[j][2 * half + 1] * inverse;
      }
    }
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
