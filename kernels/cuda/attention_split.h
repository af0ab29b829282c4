// Flash decoding by tensor cores: one block takes one part of the keys of up to 8 or 16 query rows (queries x heads of
// a KV head). Each warp reads its strips of the part, two stages ahead of itself, without waiting for the others; their
// softmaxes are merged at the end.
#pragma once

#include "kernels/cuda/attention_keys.h"
#include "kernels/cuda/attention_tiles.h"

namespace graft::kernels::cuda {
namespace {

/// Puts the query rows into shared memory, [2 * rows, width + padding]: the high halves, then the low ones. Rows that
/// are not there and columns beyond the head are zero. One warp to a row.
template <class Type, int width, int warps, int rows, class Keys>
__device__ inline void split_queries(const AttentionArgs& a, const Keys& keys, const Work& work, uint16_t* queries) {
  constexpr int turns = rows / warps, at_once = least(turns, Keys::rows_at_once);
  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), dim = a.cache.head_dim;
#pragma unroll 1
  for (int first_turn = 0; first_turn < turns; first_turn += at_once) {
    HeadRow<width> heads[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int32_t row = warp + (first_turn + i) * warps;
      if (row >= work.rows) continue;
      heads[i].load(a.query + (work.first_row + work.query_of(row)) * a.query_stride + int64_t{work.head_of(row)} * dim,
                    dim);
    }
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int32_t row = warp + (first_turn + i) * warps;
      if (row < work.rows) keys.prepare(heads[i], work.first_row + work.query_of(row));
#pragma unroll
      for (int j = 0; j < HeadRow<width>::pieces; ++j) {
        const float first = heads[i].value[j][0], second = heads[i].value[j][1];
        const uint32_t near = Type::pack(first, second);
        auto* to = reinterpret_cast<uint32_t*>(queries + row * (width + padding) + HeadRow<width>::column(j));
        to[0] = near;
        to[rows * (width + padding) / 2] = Type::pack(first - Type::low(near), second - Type::high(near));
      }
    }
  }
}

/// What the warps of a block leave of their softmaxes, in shared memory, to be merged.
template <int width, int warps, int rows>
struct WarpResults {
  static constexpr int stride = width + 8;  // floats
  float* numbers;                           // [warps, rows, 2]
  float* sums;                              // [warps, rows, stride]

  template <class Tile>
  __device__ void put(const Tile& tile, int32_t warp, int32_t lane) const {
#pragma unroll
    for (int half = 0; half < Tile::halves; ++half) {
      const int32_t at = warp * rows + lane / 4 + 8 * half;
      const RowNumbers row = tile.row(half);
      if (lane % 4 == 0) {
        numbers[2 * at] = row.maximum;
        numbers[2 * at + 1] = row.denominator;
      }
#pragma unroll
      for (int j = 0; j < width / 8; ++j) {
        *reinterpret_cast<float2*>(sums + at * stride + 8 * j + 2 * (lane % 4)) = tile.sum(j, half);
      }
    }
  }

  /// Writes each row's result, or its part. One warp to a row.
  __device__ void write(const AttentionArgs& a, const SplitRule& rule, const Work& work, int32_t warp,
                        int32_t lane) const {
    const int32_t dim = a.cache.head_dim;
    const Partials partials(a, rule);
    for (int32_t row = warp; row < work.rows; row += warps) {
      const int32_t step_row = work.first_row + work.query_of(row), head = work.head_of(row);
      float maximum = numbers[2 * row];
#pragma unroll
      for (int w = 1; w < warps; ++w) maximum = fmaxf(maximum, numbers[2 * (w * rows + row)]);
      const float top = maximum == -__builtin_inff() ? 0.0f : maximum;
      float factors[warps], denominator = 0;
#pragma unroll
      for (int w = 0; w < warps; ++w) {
        factors[w] = decay(numbers[2 * (w * rows + row)] - top);
        denominator += factors[w] * numbers[2 * (w * rows + row) + 1];
      }
      const float inverse = denominator > 0 ? 1.0f / denominator : 0.0f;
      const int64_t index = partial_index(a, rule, step_row, head, work.split);
      for (int32_t column = 4 * lane; column < dim; column += 128) {
        float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll
        for (int w = 0; w < warps; ++w) {
          const float4 own = load_float4(sums + (w * rows + row) * stride + column);
          sum.x += factors[w] * own.x;
          sum.y += factors[w] * own.y;
          sum.z += factors[w] * own.z;
          sum.w += factors[w] * own.w;
        }
        if (work.splits > 1) {
          store_float4(partials.sums + index * dim + column, sum);
          continue;
        }
        float* to = a.out + step_row * a.out_stride + int64_t{head} * dim + column;  // of any alignment
        to[0] = sum.x * inverse;
        to[1] = sum.y * inverse;
        to[2] = sum.z * inverse;
        to[3] = sum.w * inverse;
      }
      if (work.splits > 1 && lane == 0) {
        partials.numbers[2 * index] = maximum;
        partials.numbers[2 * index + 1] = denominator;
      }
    }
  }
};

template <class Type, int width, int warps, int rows, class Keys>
__global__ void __launch_bounds__(32 * warps, split_blocks(width, rows))
    attend_split(AttentionArgs a, SplitRule rule, Keys keys) {
  constexpr int stride = width + padding, stage = Strips<width>::stage;
  auto* numbers = static_cast<float*>(dynamic_shared());
  auto* queries = reinterpret_cast<uint16_t*>(numbers + warps * rows * 2);
  uint16_t* stages = queries + 2 * rows * stride;
  const WarpResults<width, warps, rows> results = {numbers, reinterpret_cast<float*>(stages)};

  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), lane = static_cast<int32_t>(threadIdx.x % 32);
  uint16_t* mine = stages + warp * 2 * stage;
  Work work;
  for (int32_t index = static_cast<int32_t>(blockIdx.x); find_work(a, rule, true, rows, index, work);
       index += static_cast<int32_t>(gridDim.x)) {
    keys.set_stored_end(work);
    // Keys first: they take longest, and everything up to the loop is done while they are under way.
    Strips<width> strips(a, rule, work, warp, warps, mine);
#pragma unroll 1
    for (int ahead = 0; ahead < 2; ++ahead) strips.template ask<Keys::fresh>(a, work, ahead);
    clear_columns<width>(mine, 4 * strip_keys, a.cache.head_dim);
    split_queries<Type, width, warps, rows>(a, keys, work, queries);
    keys.template put_fresh<Type, width>(rule, work, strips.last, least(2, strips.count), mine);
    SplitTile<Type, width, rows> tile;
    tile.start(a, work, work.split == 0 && warp == 0);
    __syncthreads();  // queries
    tile.hold_queries(queries);

    for (int32_t strip = 0; strip < strips.count; ++strip) {
      copy_async_wait<1>();
      __syncwarp();
      const int32_t first_key = strips.last - strip * strip_keys;
      tile.take(a, queries, mine + strip % 2 * stage, first_key);
      __syncwarp();
      strips.template ask<false>(a, work, strip % 2);
    }
    copy_async_wait<0>();
    tile.finish();
    __syncthreads();  // the stages are free
    results.put(tile, warp, lane);
    __syncthreads();
    results.write(a, rule, work, warp, lane);
    __syncthreads();  // and free again
  }
}

}  // namespace
}  // namespace graft::kernels::cuda
