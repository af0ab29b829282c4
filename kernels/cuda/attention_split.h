// Flash decoding by tensor cores: one block takes one part of the keys of up to 16 query rows (queries x heads of a KV
// head). Each warp reads 16 keys at a time, two stages ahead of itself, without waiting for the others; their softmaxes
// are merged at the end. Few rows need little arithmetic, so queries and weights are multiplied in two halves, the
// nearest 16-bit number and what it leaves: products are as good as float32 ones.
#pragma once

#include "kernels/cuda/attention_fragments.h"

namespace graft::kernels::cuda {
namespace {

/// Puts the 16 query rows into shared memory as high and low halves; rows and lanes that are not there are zero.
template <class Type, int width>
__device__ inline void split_queries(const AttentionArgs& a, const Work& work, uint16_t* high, uint16_t* low) {
  const int32_t group = a.heads / a.cache.kv_heads, dim = a.cache.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < split_tile_rows * width / 2;
       i += static_cast<int32_t>(blockDim.x)) {
    const int32_t row = i / (width / 2), column = i % (width / 2) * 2;
    float first = 0, second = 0;
    if (row < work.rows && column < dim) {
      const float* from = a.query + (work.first_row + work.query_of(group, row)) * a.query_stride +
                          int64_t{work.head_of(group, row)} * dim + column;
      first = from[0];
      second = from[1];
    }
    const uint32_t near = Type::pack(first, second);
    const int32_t at = row * (width + padding) + column;
    *reinterpret_cast<uint32_t*>(high + at) = near;
    *reinterpret_cast<uint32_t*>(low + at) = Type::pack(first - Type::low(near), second - Type::high(near));
  }
}

/// Merges the warps' softmaxes (of one row: maximum, denominator, sums in shared memory) and writes the row's result,
/// or its part.
template <int width, int warps>
__device__ inline void write_rows(const AttentionArgs& a, const SplitRule& rule, const Work& work, const float* numbers,
                                  const float* sums) {
  const int32_t group = a.heads / a.cache.kv_heads, dim = a.cache.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < work.rows * dim; i += static_cast<int32_t>(blockDim.x)) {
    const int32_t row = i / dim, column = i % dim;
    float maximum = numbers[2 * row];
#pragma unroll
    for (int w = 1; w < warps; ++w) maximum = fmaxf(maximum, numbers[2 * (w * split_tile_rows + row)]);
    const float top = maximum == -__builtin_inff() ? 0.0f : maximum;
    float denominator = 0, sum = 0;
#pragma unroll
    for (int w = 0; w < warps; ++w) {
      const int32_t at = w * split_tile_rows + row;
      const float factor = decay(numbers[2 * at] - top);
      denominator += factor * numbers[2 * at + 1];
      sum += factor * sums[at * width + column];
    }
    const int32_t step_row = work.first_row + work.query_of(group, row), head = work.head_of(group, row);
    if (work.splits == 1) {
      a.out[step_row * a.out_stride + int64_t{head} * dim + column] = denominator > 0 ? sum / denominator : 0.0f;
      continue;
    }
    const Partials partials(a, rule);
    const int64_t index = partial_index(a, rule, step_row, head, work.split);
    partials.sums[index * dim + column] = sum;
    if (column == 0) {
      partials.numbers[2 * index] = maximum;
      partials.numbers[2 * index + 1] = denominator;
    }
  }
}

template <class Type, int width, int warps>
__global__ void __launch_bounds__(32 * warps) attend_split(AttentionArgs a, SplitRule rule) {
  constexpr int stride = width + padding, stage = 2 * 16 * stride;
  auto* numbers = static_cast<float*>(dynamic_shared());  // maximum and denominator of each warp's rows
  auto* high = reinterpret_cast<uint16_t*>(numbers + warps * split_tile_rows * 2);
  uint16_t* low = high + split_tile_rows * stride;
  uint16_t* stages = low + split_tile_rows * stride;
  auto* merged = reinterpret_cast<float*>(stages);

  wait_for_previous_kernel();
  let_next_kernel_start();
  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), lane = static_cast<int32_t>(threadIdx.x % 32);
  const int32_t dim = a.cache.head_dim;
  uint16_t* mine = stages + warp * 2 * stage;
  Work work;
  for (int32_t index = static_cast<int32_t>(blockIdx.x); find_work(a, rule, true, split_tile_rows, index, work);
       index += static_cast<int32_t>(gridDim.x)) {
    __syncthreads();  // the rows of the piece before have been written
    split_queries<Type, width>(a, work, high, low);
    clear_tail<width>(mine, 4 * 16, dim, lane, 32);

    const int32_t begin = work.begin + 16 * warp, step = 16 * warps;
    const int32_t strips = begin < work.end ? (work.end - begin + step - 1) / step : 0;
#pragma unroll
    for (int ahead = 0; ahead < 2; ++ahead) {
      uint16_t* to = mine + ahead * stage;
      if (ahead < strips) ask_for_keys<width, 16>(a, work, begin + ahead * step, to, to + 16 * stride);
      copy_async_commit();
    }
    const RowRule rules[2] = {RowRule(a, work, lane / 4), RowRule(a, work, lane / 4 + 8)};
    RunningSoftmax<width> softmax;
    softmax.start();
    if (work.split == 0 && warp == 0) {
      softmax.start_with_sink(a, work, lane / 4, 0);
      softmax.start_with_sink(a, work, lane / 4 + 8, 1);
    }
    __syncthreads();  // queries

    for (int32_t strip = 0; strip < strips; ++strip) {
      uint16_t* keys = mine + strip % 2 * stage;
      copy_async_wait<1>();
      __syncwarp();
      float scores[2][4] = {};
#pragma unroll
      for (int s = 0; s < width / 16; ++s) {
        if (s * 16 >= dim) break;
        uint32_t query[2][4];
        load_query<width>(query[0], high, s);
        load_query<width>(query[1], low, s);
        multiply_keys<Type, width>(query, keys, s, scores);
      }
      softmax.take(a, rules, begin + strip * step, scores);

      uint32_t weights[2][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float first = scores[i / 2][i % 2 * 2], second = scores[i / 2][i % 2 * 2 + 1];
        weights[0][i] = Type::pack(first, second);
        weights[1][i] = Type::pack(first - Type::low(weights[0][i]), second - Type::high(weights[0][i]));
      }
      multiply_values<Type, width>(weights, keys + 16 * stride, dim, softmax.sums);
      __syncwarp();
      if (strip + 2 < strips) ask_for_keys<width, 16>(a, work, begin + (strip + 2) * step, keys, keys + 16 * stride);
      copy_async_commit();
    }
    copy_async_wait<0>();
    softmax.finish();
    __syncthreads();  // the stages are free

#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int32_t at = warp * split_tile_rows + lane / 4 + 8 * half;
      if (lane % 4 == 0) {
        numbers[2 * at] = softmax.maximum[half];
        numbers[2 * at + 1] = softmax.denominator[half];
      }
#pragma unroll
      for (int j = 0; j < width / 8; ++j) {
        float* to = merged + at * width + 8 * j + 2 * (lane % 4);
        to[0] = softmax.sums[j][2 * half];
        to[1] = softmax.sums[j][2 * half + 1];
      }
    }
    __syncthreads();
    write_rows<width, warps>(a, rule, work, numbers, merged);
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
