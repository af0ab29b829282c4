// Attention for float32 caches and for heads of odd widths: 16 query rows (queries x heads of a KV head) against some
// keys at a time, everything in float32 in shared memory. Eight threads share a row. Serves parts of keys as well as
// whole ones; right for everything, fast for nothing.
#pragma once

#include "kernels/cuda/attention_work.h"
#include "kernels/cuda/convert.h"

namespace graft::kernels::cuda {
namespace {

struct GeneralShared {
  float *queries, *sums, *keys, *scores, *maximum, *denominator, *factor;
  int32_t key_stride, score_stride;

  __device__ GeneralShared(int32_t dim, int32_t keys_at_once) {
    key_stride = dim | 1;
    score_stride = keys_at_once + 1;
    queries = static_cast<float*>(dynamic_shared());
    sums = queries + split_tile_rows * dim;
    keys = sums + split_tile_rows * dim;
    scores = keys + keys_at_once * key_stride;
    maximum = scores + split_tile_rows * score_stride;
    denominator = maximum + split_tile_rows;
    factor = denominator + split_tile_rows;
  }
};

/// Puts `count` keys (or values) into shared memory as float32.
__device__ inline void load_rows(const AttentionArgs& a, const Work& work, const void* from, int32_t first,
                                 int32_t count, const GeneralShared& shared) {
  const int32_t dim = a.cache.head_dim;
  for (int32_t i = static_cast<int32_t>(threadIdx.x); i < count * dim; i += static_cast<int32_t>(blockDim.x)) {
    const int32_t row = i / dim, column = i - row * dim;
    const int64_t at = int64_t{cache_row(a, work, first + row)} * dim + column;
    shared.keys[row * shared.key_stride + column] = load_element(from, at, a.cache.dtype);
  }
}

__device__ inline float most_of_eight(float value) {
  for (int bits = 4; bits > 0; bits /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, bits));
  return value;
}
__device__ inline float sum_of_eight(float value) {
  for (int bits = 4; bits > 0; bits /= 2) value += __shfl_xor_sync(all_lanes, value, bits);
  return value;
}

__global__ void __launch_bounds__(128, 4)
    attend_general(AttentionArgs a, SplitRule rule, bool few, int32_t keys_at_once) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t dim = a.cache.head_dim;
  const int32_t row = static_cast<int32_t>(threadIdx.x / 8), part = static_cast<int32_t>(threadIdx.x % 8);
  const GeneralShared shared(dim, keys_at_once);
  float* scores = shared.scores + row * shared.score_stride;
  float* sums = shared.sums + row * dim;
  const float* query = shared.queries + row * dim;
  Work work;
  for (int32_t index = static_cast<int32_t>(blockIdx.x); find_work(a, rule, few, split_tile_rows, index, work);
       index += static_cast<int32_t>(gridDim.x)) {
    const RowRule row_rule(a, work, row);
    const int32_t step_row = work.first_row + work.query_of(row), head = work.head_of(row);
    const bool real = row < work.rows;
    float maximum = -__builtin_inff(), denominator = 0;
    if (real && a.sinks != nullptr && work.split == 0) {
      maximum = a.sinks[head];
      denominator = 1;
    }
    for (int32_t i = part; i < dim; i += 8) {  // read and written by these eight threads only
      shared.queries[row * dim + i] = real ? a.query[step_row * a.query_stride + int64_t{head} * dim + i] : 0.0f;
      sums[i] = 0;
    }
    for (int32_t first = work.begin; first < work.end; first += keys_at_once) {
      const int32_t count = least(keys_at_once, work.end - first);
      load_rows(a, work, a.cache.key, first, count, shared);
      __syncthreads();
      float found = -__builtin_inff();
      for (int32_t k = part; k < count; k += 8) {
        const float* key = shared.keys + k * shared.key_stride;
        float product = 0;
        for (int32_t i = 0; i < dim; ++i) product += query[i] * key[i];
        scores[k] = row_rule.score(a, first + k, product);
        found = fmaxf(found, scores[k]);
      }
      const float raised = fmaxf(maximum, most_of_eight(found));
      const float top = raised == -__builtin_inff() ? 0.0f : raised;
      const float factor = expf(maximum - top);
      float sum = 0;
      for (int32_t k = part; k < count; k += 8) {
        scores[k] = expf(scores[k] - top);
        sum += scores[k];
      }
      maximum = raised;
      denominator = denominator * factor + sum_of_eight(sum);
      __syncthreads();  // the keys have been read, the weights are there
      load_rows(a, work, a.cache.value, first, count, shared);
      __syncthreads();
      for (int32_t i = part; i < dim; i += 8) {
        float value = sums[i] * factor;
        for (int32_t k = 0; k < count; ++k) value += scores[k] * shared.keys[k * shared.key_stride + i];
        sums[i] = value;
      }
      __syncthreads();
    }
    if (!real) continue;
    if (work.splits == 1) {
      float* out = a.out + step_row * a.out_stride + int64_t{head} * dim;
      for (int32_t i = part; i < dim; i += 8) out[i] = denominator > 0 ? sums[i] / denominator : 0.0f;
      continue;
    }
    const Partials partials(a, rule);
    const int64_t at = partial_index(a, rule, step_row, head, work.split);
    for (int32_t i = part; i < dim; i += 8) partials.sums[at * dim + i] = sums[i];
    if (part == 0) {
      partials.numbers[2 * at] = maximum;
      partials.numbers[2 * at + 1] = denominator;
    }
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
