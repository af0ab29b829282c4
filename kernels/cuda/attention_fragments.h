// Attention by tensor cores (mma.sync m16n8k16), one warp and 16 query rows at a time: scores of some keys, the running
// softmax (Milakov and Gimelshein 2018), and the weighted sum of the values. Keys and values lie in shared memory as
// rows of `width + padding` 16-bit numbers, query rows likewise.
//
// Of a tile of 16 x 8 results, lane l holds rows l / 4 and l / 4 + 8, columns 2 (l % 4) and the next: the same places
// that the first operand of the next product wants, so weights go from registers to registers.
#pragma once

#include "kernels/cuda/attention_work.h"
#include "kernels/cuda/convert.h"

namespace graft::kernels::cuda {
namespace {

/// exp for arguments of at most 0, to about 1e-6 relative where the result matters.
__device__ inline float decay(float x) { return __expf(x); }

struct Bfloat16Cache {
  static __device__ uint32_t pack(float low, float high) { return pack_bfloat16(low, high); }
  /// As the cache has it: infinite beyond the type's range.
  static __device__ uint32_t stored(float low, float high) { return pack_bfloat16(low, high); }
  static __device__ float low(uint32_t pair) { return __uint_as_float(pair << 16); }
  static __device__ float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }
  static __device__ void multiply(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const uint32_t b[2] = {b0, b1};
    mma_bfloat16(sum, a, b);
  }
};

struct Float16Cache {
  static __device__ uint32_t pack(float low, float high) { return pack_finite_float16(low, high); }
  static __device__ uint32_t stored(float low, float high) { return pack_float16(low, high); }
  static __device__ float low(uint32_t pair) { return float16_bits_to_float(static_cast<uint16_t>(pair & 0xffffu)); }
  static __device__ float high(uint32_t pair) { return float16_bits_to_float(static_cast<uint16_t>(pair >> 16)); }
  static __device__ void multiply(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const uint32_t b[2] = {b0, b1};
    mma_float16(sum, a, b);
  }
};

/// Copies keys [first, first + count) of the work, one 16-bit row each, to `keys` and `values`; by one warp, which asks
/// for them all at once. Before `begin` and beyond `end` the first and last key are repeated: their weight will be
/// zero, and 0 x a number is 0.
template <int width, int count>
__device__ inline void ask_for_keys(const AttentionArgs& a, const Work& work, int32_t first, uint16_t* keys,
                                    uint16_t* values) {
  constexpr int stride = width + padding;
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), dim = a.cache.head_dim, chunks = dim / 8;
  const int32_t own = cache_row(a, work, most(work.begin, least(first + lane % count, work.end - 1)));
  const auto* key = static_cast<const uint16_t*>(a.cache.key);
  const auto* value = static_cast<const uint16_t*>(a.cache.value);
  if (chunks * 8 == width) {
    constexpr int per_row = width / 8, turns = count * per_row / 32;
#pragma unroll
    for (int turn = 0; turn < turns; ++turn) {
      const int32_t piece = turn * 32 + lane, row = piece / per_row, column = piece % per_row * 8;
      const int64_t from = int64_t{__shfl_sync(all_lanes, own, row)} * width + column;
      copy_async_16(keys + row * stride + column, key + from);
      copy_async_16(values + row * stride + column, value + from);
    }
    return;
  }
  for (int32_t begin = 0; begin < count * chunks; begin += 32) {
    const int32_t piece = least(begin + lane, count * chunks - 1), row = piece / chunks, column = piece % chunks * 8;
    const int64_t from = int64_t{__shfl_sync(all_lanes, own, row)} * dim + column;
    if (begin + lane >= count * chunks) continue;
    copy_async_16(keys + row * stride + column, key + from);
    copy_async_16(values + row * stride + column, value + from);
  }
}

/// Half a fragment step beyond a head whose width is no multiple of 16: zeros, so that it adds nothing.
template <int width>
__device__ inline void clear_tail(uint16_t* rows, int32_t count, int32_t dim, int32_t thread, int32_t threads) {
  if (dim % 16 == 0) return;
  for (int32_t i = thread; i < count * 8; i += threads) rows[i / 8 * (width + padding) + dim + i % 8] = 0;
}

/// scores[j] += query rows x keys 8 j ... 8 j + 7, for 8 * tiles keys and 16 dims; the rows are the sum of `parts`
/// fragments.
template <class Type, int width, int tiles, int parts>
__device__ inline void multiply_keys(const uint32_t (&query)[parts][4], const uint16_t* keys, int32_t step,
                                     float (&scores)[tiles][4]) {
  constexpr int stride = width + padding;
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
  const uint16_t* from = keys + (lane / 16 * 8 + lane % 8) * stride + step * 16 + lane / 8 % 2 * 8;
#pragma unroll
  for (int j = 0; j < tiles; j += 2) {
    uint32_t b[4];
    load_matrices(b, from + j * 8 * stride);
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      Type::multiply(scores[j], query[part], b[0], b[1]);
      Type::multiply(scores[j + 1], query[part], b[2], b[3]);
    }
  }
}

/// The fragment of 16 query rows for dims 16 step ... 16 step + 15.
template <int width>
__device__ inline void load_query(uint32_t (&query)[4], const uint16_t* rows, int32_t step) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
  load_matrices(query, rows + lane % 16 * (width + padding) + step * 16 + lane / 16 * 8);
}

/// sums += weights x 16 values, for all dims; the weights are the sum of `parts` fragments.
template <class Type, int width, int parts>
__device__ inline void multiply_values(const uint32_t (&weights)[parts][4], const uint16_t* values, int32_t dim,
                                       float (&sums)[width / 8][4]) {
  constexpr int stride = width + padding;
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
  const uint16_t* from = values + lane % 16 * stride + lane / 16 * 8;
#pragma unroll
  for (int j = 0; j < width / 8; j += 2) {
    if (j * 8 >= dim) break;
    uint32_t b[4];
    load_matrices_transposed(b, from + j * 8);
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      Type::multiply(sums[j], weights[part], b[0], b[1]);
      Type::multiply(sums[j + 1], weights[part], b[2], b[3]);
    }
  }
}

/// What a lane keeps of its two rows while keys go by. The denominator is this lane's part.
template <int width>
struct RunningSoftmax {
  float maximum[2], denominator[2];
  float sums[width / 8][4];

  __device__ void start() {
#pragma unroll
    for (int j = 0; j < width / 8; ++j) sums[j][0] = sums[j][1] = sums[j][2] = sums[j][3] = 0;
    maximum[0] = maximum[1] = -__builtin_inff();
    denominator[0] = denominator[1] = 0;
  }

  /// The extra logit of a head, in one part only.
  __device__ void start_with_sink(const AttentionArgs& a, const Work& work, int32_t row, int half) {
    if (a.sinks == nullptr || row >= work.rows) return;
    maximum[half] = a.sinks[work.head_of(row)];
    denominator[half] = threadIdx.x % 4 == 0 ? 1.0f : 0.0f;
  }

  /// Turns the products with keys first_key ... into weights and scales what was summed up so far.
  template <int tiles>
  __device__ void take(const AttentionArgs& a, const RowRule (&rules)[2], int32_t first_key,
                       float (&scores)[tiles][4]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float found = -__builtin_inff();
      const int32_t column = first_key + 2 * static_cast<int32_t>(threadIdx.x % 4);
      // Most keys of a long context: no mask and no switch to look at for each.
      const bool plain = rules[half].sees_plainly(a, first_key, first_key + 8 * tiles - 1);
#pragma unroll
      for (int j = 0; j < tiles; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          float& score = scores[j][2 * half + i];
          score = plain ? score * a.scale : rules[half].score(a, column + 8 * j + i, score);
          found = fmaxf(found, score);
        }
      }
      found = fmaxf(found, __shfl_xor_sync(all_lanes, found, 1));
      found = fmaxf(found, __shfl_xor_sync(all_lanes, found, 2));
      const float raised = fmaxf(maximum[half], found);
      const float top = raised == -__builtin_inff() ? 0.0f : raised;
      const float factor = decay(maximum[half] - top);
      maximum[half] = raised;
      float sum = 0;
#pragma unroll
      for (int j = 0; j < tiles; ++j) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          float& score = scores[j][2 * half + i];
          score = decay(score - top);
          sum += score;
        }
      }
      denominator[half] = denominator[half] * factor + sum;
#pragma unroll
      for (int j = 0; j < width / 8; ++j) {
        sums[j][2 * half] *= factor;
        sums[j][2 * half + 1] *= factor;
      }
    }
  }

  /// Adds up the denominators of the lanes that share a row.
  __device__ void finish() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      denominator[half] += __shfl_xor_sync(all_lanes, denominator[half], 1);
      denominator[half] += __shfl_xor_sync(all_lanes, denominator[half], 2);
    }
  }
};

}  // namespace
}  // namespace graft::kernels::cuda
