// Turning rows of a matrix into the columns of a float32 panel, for the tiles of microkernel_avx2.h.
#pragma once

#include "kernels/cpu/simd_avx2.h"

namespace graft::kernels {
namespace {

/// Transposes 8 rows of 8 float32.
inline void transpose8(__m256 (&row)[8]) {
  __m256 pair[8], quad[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    pair[2 * i] = _mm256_unpacklo_ps(row[2 * i], row[2 * i + 1]);
    pair[2 * i + 1] = _mm256_unpackhi_ps(row[2 * i], row[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    quad[4 * i] = _mm256_shuffle_ps(pair[4 * i], pair[4 * i + 2], 0x44);
    quad[4 * i + 1] = _mm256_shuffle_ps(pair[4 * i], pair[4 * i + 2], 0xee);
    quad[4 * i + 2] = _mm256_shuffle_ps(pair[4 * i + 1], pair[4 * i + 3], 0x44);
    quad[4 * i + 3] = _mm256_shuffle_ps(pair[4 * i + 1], pair[4 * i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    row[i] = _mm256_permute2f128_ps(quad[i], quad[4 + i], 0x20);
    row[4 + i] = _mm256_permute2f128_ps(quad[i], quad[4 + i], 0x31);
  }
}

/// panel[k * panel_stride + c] = rows[c, k] for c < count, zero for c in [count, columns), k < depth. `columns` is a
/// multiple of 8. Row c starts at rows + c * row_bytes, at any alignment.
template <class Type>
[[maybe_unused]] void pack_columns(const unsigned char* rows, int64_t row_bytes, int64_t count, int64_t columns,
                                   int64_t depth, float* panel, int64_t panel_stride) {
  for (int64_t first = 0; first < columns; first += 8) {
    int64_t k = 0;
    for (; k + 8 <= depth; k += 8) {
      __m256 block[8];
#pragma GCC unroll 8
      for (int64_t c = 0; c < 8; ++c) {
        block[c] =
            first + c < count ? Type::load8(rows + (first + c) * row_bytes + k * Type::bytes) : _mm256_setzero_ps();
      }
      transpose8(block);
#pragma GCC unroll 8
      for (int64_t i = 0; i < 8; ++i) _mm256_storeu_ps(panel + (k + i) * panel_stride + first, block[i]);
    }
    for (; k < depth; ++k) {
      for (int64_t c = first; c < first + 8; ++c) {
        panel[k * panel_stride + c] = c < count ? load1<Type>(rows + c * row_bytes, k) : 0.0f;
      }
    }
  }
}

}  // namespace
}  // namespace graft::kernels
