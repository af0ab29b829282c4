// The linear op for few rows (decode): dot products along the rows of the weight matrix, as fast as memory delivers
// them. Weights are read once, in order, for all rows of x; `x` stays in the caches.
#pragma once

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/spec/linear.h"

namespace graft::kernels {
namespace {

/// The most rows of x the dot-product path is meant for; above it the tiles of linear_gemm_avx2.cpp win.
constexpr int64_t dot_rows_limit = 8;

/// How far ahead of its use a weight is asked for, per stream; 1 to 2 KiB measured best, 4 KiB and more worse.
constexpr int64_t prefetch_bytes = 1024;

constexpr int tile_width = 3;           // weight rows at once: 3 x 4 sums, 3 weights and one x fill the 16 registers
constexpr int64_t chunk = 512;          // elements of x that stay in the first-level cache (eight rows: 16 KiB)
constexpr int64_t tiles_per_chunk = 4;  // tiles that use a chunk of x before the next one is loaded

struct DotInput {
  const float* x;
  int64_t x_stride;
  int64_t depth;  ///< in_features
  int64_t rows;   ///< of x, 1 to dot_rows_limit
  bool accumulate;
};

/// sums[w * dot_rows_limit + r] += weight row w . x row r over elements [begin, end), end - begin a multiple of 8.
template <class Type, int width, int rows>
inline void accumulate(const float* x, int64_t x_stride, const unsigned char* weight, int64_t stride, int64_t begin,
                       int64_t end, int64_t ahead, __m256* stored) {
  __m256 sums[width][rows];
#pragma GCC unroll 4
  for (int w = 0; w < width; ++w) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) sums[w][r] = stored[w * dot_rows_limit + r];
  }
  const auto step = [&](int64_t k) __attribute__((always_inline)) {
    __m256 weights[width];
#pragma GCC unroll 4
    for (int w = 0; w < width; ++w) weights[w] = Type::load8(weight + w * stride + k * Type::bytes);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const __m256 value = _mm256_loadu_ps(x + r * x_stride + k);
#pragma GCC unroll 4
      for (int w = 0; w < width; ++w) sums[w][r] = _mm256_fmadd_ps(weights[w], value, sums[w][r]);
    }
  };
  constexpr int64_t line = 64 / Type::bytes;  // one cache line of each weight row per turn
  int64_t k = begin;
  for (; k + line <= end; k += line) {
    if (ahead != 0) {
      const unsigned char* at = weight + k * Type::bytes + ahead;
#pragma GCC unroll 4
      for (int w = 0; w < width; ++w) _mm_prefetch(reinterpret_cast<const char*>(at + w * stride), _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int64_t j = 0; j < line; j += 8) step(k + j);
  }
  for (; k < end; k += 8) step(k);
#pragma GCC unroll 4
  for (int w = 0; w < width; ++w) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) stored[w * dot_rows_limit + r] = sums[w][r];
  }
}

/// The same for all rows of x, at most four at a time; the second turn finds the weights in the first-level cache.
template <class Type, int width>
inline void accumulate_rows(const DotInput& in, const unsigned char* weight, int64_t stride, int64_t begin, int64_t end,
                            int64_t ahead, __m256* sums) {
  const float* x = in.x;
  int64_t first = ahead;
  for (int64_t left = in.rows; left > 0;) {
    const int64_t take = left <= 4 ? left : (left >= 7 ? 4 : 3);
    switch (take) {
      case 1:
        accumulate<Type, width, 1>(x, in.x_stride, weight, stride, begin, end, first, sums);
        break;
      case 2:
        accumulate<Type, width, 2>(x, in.x_stride, weight, stride, begin, end, first, sums);
        break;
      case 3:
        accumulate<Type, width, 3>(x, in.x_stride, weight, stride, begin, end, first, sums);
        break;
      default:
        accumulate<Type, width, 4>(x, in.x_stride, weight, stride, begin, end, first, sums);
        break;
    }
    x += take * in.x_stride;
    sums += take;
    left -= take;
    first = 0;
  }
}

/// Adds up the lanes, the last depth % 8 elements and the bias of one weight row, and stores its column of `out`.
template <class Type>
inline void finish_row(const DotInput& in, const LinearSegment& segment, int64_t row, const __m256* sums, float* out,
                       int64_t out_stride) {
  const unsigned char* weight = bytes_of(segment.weight) + row * in.depth * Type::bytes;
  const float bias = segment.bias != nullptr ? load_float(segment.bias, row, segment.bias_dtype) : 0.0f;
  for (int64_t r = 0; r < in.rows; ++r) {
    float sum = horizontal_sum(sums[r]);
    for (int64_t k = in.depth / 8 * 8; k < in.depth; ++k) sum += load1<Type>(weight, k) * in.x[r * in.x_stride + k];
    float& to = out[r * out_stride];
    to = in.accumulate ? to + sum : sum + bias;
  }
}

/// Weight rows [begin, end) for one or two rows of x: as many streams as there are rows at once, each running through
/// its own part of the matrix in the order of the file, which is what the hardware's prefetcher likes best.
template <class Type, int width>
inline void dot_streams(const DotInput& in, const LinearSegment& segment, int64_t begin, int64_t end, float* out,
                        int64_t out_stride) {
  const int64_t row_bytes = in.depth * Type::bytes, each = (end - begin) / width;
  for (int64_t row = begin; row < begin + each; ++row) {
    __m256 sums[width * dot_rows_limit];
    for (__m256& sum : sums) sum = _mm256_setzero_ps();
    accumulate_rows<Type, width>(in, bytes_of(segment.weight) + row * row_bytes, each * row_bytes, 0, in.depth / 8 * 8,
                                 prefetch_bytes, sums);
    for (int64_t w = 0; w < width; ++w) {
      const int64_t at = row + w * each;
      finish_row<Type>(in, segment, at, sums + w * dot_rows_limit, out + at, out_stride);
    }
  }
}

/// Weight rows [row, row + tiles_per_chunk * tile_width) for more rows of x: they share chunks of x, which is then read
/// from the second-level cache once for all of them.
template <class Type>
inline void dot_chunks(const DotInput& in, const LinearSegment& segment, int64_t row, float* out, int64_t out_stride) {
  constexpr int64_t sums_of_tile = tile_width * dot_rows_limit;
  const int64_t row_bytes = in.depth * Type::bytes, tile_bytes = tile_width * row_bytes, depth = in.depth / 8 * 8;
  const unsigned char* weight = bytes_of(segment.weight) + row * row_bytes;
  __m256 sums[tiles_per_chunk * sums_of_tile];
  for (__m256& sum : sums) sum = _mm256_setzero_ps();
  for (int64_t k = 0; k < depth; k += chunk) {
    const int64_t end = depth - k < chunk ? depth : k + chunk;
    for (int64_t t = 0; t < tiles_per_chunk; ++t) {
      // Ahead lies the next tile's part of this chunk or, at the last tile, the first one's part of the next chunk.
      const int64_t ahead = t + 1 < tiles_per_chunk ? tile_bytes : chunk * Type::bytes - t * tile_bytes;
      accumulate_rows<Type, tile_width>(in, weight + t * tile_bytes, row_bytes, k, end, ahead, sums + t * sums_of_tile);
    }
  }
  for (int64_t w = 0; w < tiles_per_chunk * tile_width; ++w) {
    finish_row<Type>(in, segment, row + w, sums + w * dot_rows_limit, out + row + w, out_stride);
  }
}

/// Output features [begin, end) of one segment; `out` is the segment's first column.
template <class Type>
inline void dot_segment(const DotInput& in, const LinearSegment& segment, int64_t begin, int64_t end, float* out,
                        int64_t out_stride) {
  if (in.rows > 2) {
    constexpr int64_t together = tiles_per_chunk * tile_width;
    for (; begin + together <= end; begin += together) dot_chunks<Type>(in, segment, begin, out, out_stride);
  }
  constexpr int streams = 3;
  dot_streams<Type, streams>(in, segment, begin, end, out, out_stride);
  dot_streams<Type, 1>(in, segment, end - (end - begin) % streams, end, out, out_stride);
}

/// The whole op for *rows <= dot_rows_limit.
[[maybe_unused]] void run_linear_dot(const LinearArgs& a, const Context& context) {
  const int64_t rows = *a.rows;
  if (rows <= 0) return;
  int64_t features = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) features += a.segments[s].out_features;
  const DotInput in = {a.x, a.x_stride, a.in_features, rows < dot_rows_limit ? rows : dot_rows_limit, a.accumulate};
  const int64_t grain = 1 + 32768 / (a.in_features + 1);
  for_each_range(context, features, grain, [&](int64_t begin, int64_t end, int32_t) {
    int64_t first = 0;  // of this segment, among all output features
    for (int32_t s = 0; s < a.segment_count; ++s) {
      const LinearSegment& segment = a.segments[s];
      const int64_t from = begin > first ? begin - first : 0;
      const int64_t to = end - first < segment.out_features ? end - first : segment.out_features;
      if (from < to) {
        with_float_type(segment.weight_dtype, [&](auto type) {
          dot_segment<decltype(type)>(in, segment, from, to, a.out + first, a.out_stride);
        });
      }
      first += segment.out_features;
    }
  });
}

/// Whether every weight and bias of the op is of a type the vector kernels read.
[[maybe_unused]] bool linear_types_accepted(const LinearArgs& a) {
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const LinearSegment& segment = a.segments[s];
    if (float_dtype_bytes(segment.weight_dtype) == 0) return false;
    if (segment.bias != nullptr && float_dtype_bytes(segment.bias_dtype) == 0) return false;
  }
  return true;
}

}  // namespace
}  // namespace graft::kernels
