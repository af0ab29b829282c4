// Sums up the parts of a row's keys, first part first, one warp to a row and head.
#pragma once

#include "kernels/cuda/attention_work.h"

namespace graft::kernels::cuda {
namespace {

/// The sequence of a row of the step; -1: the row is beyond the last. Whole warps, all lanes with the same row.
__device__ inline int32_t sequence_of_row(const AttentionArgs& a, int32_t row) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), sequences = *a.sequences;
  for (int32_t base = 0; base < sequences; base += 32) {
    const int32_t sequence = base + lane;
    const bool mine = sequence < sequences && a.query_starts[sequence] <= row && row < a.query_starts[sequence + 1];
    const unsigned found = __ballot_sync(all_lanes, mine ? 1 : 0);
    if (found != 0) return base + __ffs(static_cast<int>(found)) - 1;
  }
  return -1;
}

__global__ void __launch_bounds__(128) merge_splits(AttentionArgs a, SplitRule rule) {
  wait_for_previous_kernel();
  let_next_kernel_start();
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), dim = a.cache.head_dim;
  const int32_t warps = static_cast<int32_t>(gridDim.x * blockDim.x / 32);
  const Partials partials(a, rule);
  for (int32_t index = static_cast<int32_t>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
       index < rule.split_rows * a.heads; index += warps) {
    const int32_t row = index / a.heads, head = index % a.heads;
    const int32_t sequence = sequence_of_row(a, row);
    if (sequence < 0) return;
    const SequenceShape shape(a, rule, sequence);
    if (!shape.is_few(rule) || shape.splits == 1) continue;
    const int64_t first = partial_index(a, rule, row, head, 0);
    float maximum = -__builtin_inff();
    for (int32_t s = 0; s < shape.splits; ++s) maximum = fmaxf(maximum, partials.numbers[2 * (first + s)]);
    const float top = maximum == -__builtin_inff() ? 0.0f : maximum;
    float denominator = 0;
    for (int32_t s = 0; s < shape.splits; ++s) {
      denominator += expf(partials.numbers[2 * (first + s)] - top) * partials.numbers[2 * (first + s) + 1];
    }
    const float inverse = denominator > 0 ? 1.0f / denominator : 0.0f;
    float* out = a.out + row * a.out_stride + int64_t{head} * dim;
    for (int32_t i = lane; i < dim; i += 32) {
      float sum = 0;
      for (int32_t s = 0; s < shape.splits; ++s) {
        sum += expf(partials.numbers[2 * (first + s)] - top) * partials.sums[(first + s) * dim + i];
      }
      out[i] = sum * inverse;
    }
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
