// The inner loop of every dense product here: a tile of up to 6 rows by 16 columns kept in registers (BLIS style).
#pragma once

#include "kernels/cpu/simd_avx2.h"

namespace graft::kernels {
namespace {

constexpr int64_t tile_rows = 6;
constexpr int64_t tile_columns = 16;

/// c[r, 0..8*vectors) = initial + sum over k of a[r, k] * b[k, 0..8*vectors), r < rows. `initial` is c itself when
/// accumulate, else the row `start` (null: zero). Strides are in elements.
template <int rows, int vectors>
inline void tile_product(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t depth, float* c,
                         int64_t c_stride, bool accumulate, const float* start) {
  __m256 sums[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      sums[r][v] = accumulate         ? _mm256_loadu_ps(c + r * c_stride + 8 * v)
                   : start != nullptr ? _mm256_loadu_ps(start + 8 * v)
                                      : _mm256_setzero_ps();
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    __m256 columns[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) columns[v] = _mm256_loadu_ps(b + k * b_stride + 8 * v);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const __m256 value = _mm256_broadcast_ss(a + r * a_stride + k);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sums[r][v] = _mm256_fmadd_ps(value, columns[v], sums[r][v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) _mm256_storeu_ps(c + r * c_stride + 8 * v, sums[r][v]);
  }
}

/// The same for any number of rows from 1 to 6.
template <int vectors>
[[maybe_unused]] inline void tile_product_rows(int64_t rows, const float* a, int64_t a_stride, const float* b,
                                               int64_t b_stride, int64_t depth, float* c, int64_t c_stride,
                                               bool accumulate, const float* start) {
  switch (rows) {
    case 1:
      tile_product<1, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
    case 2:
      tile_product<2, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
    case 3:
      tile_product<3, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
    case 4:
      tile_product<4, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
    case 5:
      tile_product<5, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
    default:
      tile_product<6, vectors>(a, a_stride, b, b_stride, depth, c, c_stride, accumulate, start);
      break;
  }
}

}  // namespace
}  // namespace graft::kernels
