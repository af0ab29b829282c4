// Sums up the parts of a row's keys, one block to a row and head. Which warp takes which part and in which order parts
// and warps are added is fixed, so results are equal bits whoever comes first.
#pragma once

#include "kernels/cuda/attention_work.h"

namespace graft::kernels::cuda {
namespace {

/// The sequence of a row of the step; false: the row is beyond the last. Whole warps, all lanes with the same row.
__device__ inline bool find_sequence(const AttentionArgs& a, const SplitRule& rule, int32_t row, SequenceShape& shape) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), sequences = *a.sequences;
  for (int32_t base = 0; base < sequences; base += 32) {
    const SequenceShape own(a, rule, least(base + lane, sequences - 1));
    const bool mine = own.first_row <= row && row < own.first_row + own.queries;
    const unsigned found = __ballot_sync(all_lanes, mine ? 1 : 0);
    if (found == 0) continue;
    shape = own.of_lane(__ffs(static_cast<int>(found)) - 1);
    return true;
  }
  return false;
}

/// Columns that a lane adds up at a time, `count` of them.
template <int count>
struct Columns {
  float value[count];

  __device__ void load(const float* from) {
    if constexpr (count == 4) {
      const float4 quad = load_float4(from);
      value[0] = quad.x;
      value[1] = quad.y;
      value[2] = quad.z;
      value[3] = quad.w;
    } else {
      value[0] = *from;
    }
  }
};

/// Writes one row of one head: `sums` and `numbers` are those of its first part.
template <int count>
__device__ inline void merge_row(const float* sums, const float* numbers, int32_t splits, int32_t dim, float* out) {
  constexpr int turns = most_splits / merge_warps;
  static_assert(most_splits == 64 && turns % 2 == 0, "a lane looks after two parts");
  auto* shared = static_cast<float*>(dynamic_shared());  // [merge_warps, dim]
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), warp = static_cast<int32_t>(threadIdx.x / 32);

  // All loads are under way at once: the numbers of all parts, two a lane, and the first columns of this warp's parts.
  float maximum[2], denominator[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int32_t part = lane + 32 * i;
    maximum[i] = part < splits ? numbers[2 * part] : -__builtin_inff();
    denominator[i] = part < splits ? numbers[2 * part + 1] : 0.0f;
  }
  Columns<count> parts[turns];
  const auto load = [&](int32_t column) {
#pragma unroll
    for (int i = 0; i < turns; ++i) {
      const int32_t part = warp + merge_warps * i;
#pragma unroll
      for (int c = 0; c < count; ++c) parts[i].value[c] = 0;
      if (part < splits && column < dim) parts[i].load(sums + int64_t{part} * dim + column);
    }
  };
  load(count * lane);

  const float found = warp_max(fmaxf(maximum[0], maximum[1]));
  const float top = found == -__builtin_inff() ? 0.0f : found;
  const float factors[2] = {expf(maximum[0] - top), expf(maximum[1] - top)};
  const float total = warp_sum(factors[0] * denominator[0] + factors[1] * denominator[1]);
  const float inverse = total > 0 ? 1.0f / total : 0.0f;
  float factor[turns];
#pragma unroll
  for (int i = 0; i < turns; ++i) {
    factor[i] = __shfl_sync(all_lanes, factors[i / (turns / 2)], (warp + merge_warps * i) % 32);
  }
  for (int32_t column = count * lane; column < dim; column += 32 * count) {
    if (column >= 32 * count) load(column);
#pragma unroll
    for (int c = 0; c < count; ++c) {
      float sum = 0;
#pragma unroll
      for (int i = 0; i < turns; ++i) sum += factor[i] * parts[i].value[c];
      shared[warp * dim + column + c] = sum;
    }
  }
  __syncthreads();
  for (int32_t column = static_cast<int32_t>(threadIdx.x); column < dim; column += 32 * merge_warps) {
    float sum = 0;
#pragma unroll
    for (int w = 0; w < merge_warps; ++w) sum += shared[w * dim + column];
    out[column] = sum * inverse;
  }
  __syncthreads();
}

__global__ void __launch_bounds__(32 * merge_warps) merge_splits(AttentionArgs a, SplitRule rule) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t dim = a.cache.head_dim, pieces = rule.split_rows * a.heads;
  const Partials partials(a, rule);
  for (int32_t index = static_cast<int32_t>(blockIdx.x); index < pieces; index += static_cast<int32_t>(gridDim.x)) {
    const int32_t row = rule.heads.of(index), head = index - row * a.heads;
    SequenceShape shape;
    if (!find_sequence(a, rule, row, shape)) return;
    if (!shape.is_few(rule) || shape.splits == 1) continue;
    const int64_t first = partial_index(a, rule, row, head, 0);
    const float *sums = partials.sums + first * dim, *numbers = partials.numbers + 2 * first;
    float* out = a.out + row * a.out_stride + int64_t{head} * dim;
    if (dim % 4 == 0) {
      merge_row<4>(sums, numbers, shape.splits, dim, out);
    } else {
      merge_row<1>(sums, numbers, shape.splits, dim, out);
    }
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
