// The steps of attention on one tile of queries and one run of keys. Score rows are `score_stride` floats long.
#pragma once

#include "kernels/cpu/microkernel_avx2.h"
#include "kernels/cpu/transpose_avx2.h"

namespace graft::kernels {
namespace {

constexpr int64_t key_run = 64;  // keys handled at once
constexpr int64_t score_stride = key_run;

/// to[i] = from[i], widened; `count` is a multiple of 8.
template <class Type>
inline void widen(const unsigned char* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += 8) _mm256_storeu_ps(to + i, Type::load8(from + i * Type::bytes));
}

inline void prefetch_row(const unsigned char* row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) _mm_prefetch(reinterpret_cast<const char*>(row + i), _MM_HINT_T0);
}

/// scores[m, j] = query m . key j for a few queries and keys at once; each key is loaded and widened once.
template <class Type, int queries, int keys>
inline void dot_keys(const float* query, const unsigned char* key, int64_t dim, float* scores) {
  const int64_t row = dim * Type::bytes;
  __m256 sums[queries][keys];
#pragma GCC unroll 4
  for (int m = 0; m < queries; ++m) {
#pragma GCC unroll 4
    for (int j = 0; j < keys; ++j) sums[m][j] = _mm256_setzero_ps();
  }
  for (int64_t i = 0; i < dim; i += 8) {
    __m256 q[queries];
#pragma GCC unroll 4
    for (int m = 0; m < queries; ++m) q[m] = _mm256_loadu_ps(query + m * dim + i);
#pragma GCC unroll 4
    for (int j = 0; j < keys; ++j) {
      const __m256 k = Type::load8(key + j * row + i * Type::bytes);
#pragma GCC unroll 4
      for (int m = 0; m < queries; ++m) sums[m][j] = _mm256_fmadd_ps(q[m], k, sums[m][j]);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < queries; ++m) {
    float* to = scores + m * score_stride;
    if constexpr (keys == 4) {
      _mm_storeu_ps(to, horizontal_sums(sums[m][0], sums[m][1], sums[m][2], sums[m][3]));
    } else {
#pragma GCC unroll 4
      for (int j = 0; j < keys; ++j) to[j] = horizontal_sum(sums[m][j]);
    }
  }
}

/// The scores of `keys` (at most 4) keys against all queries.
template <class Type, int keys>
inline void dot_all_queries(const float* query, int64_t queries, const unsigned char* key, int64_t dim, float* scores) {
  constexpr int half = keys == 4 ? 2 : keys;  // four queries leave registers for two keys
  int64_t m = 0;
  for (; m + 4 <= queries; m += 4) {
    for (int j = 0; j < keys; j += half) {
      dot_keys<Type, 4, half>(query + m * dim, key + j * dim * Type::bytes, dim, scores + m * score_stride + j);
    }
  }
  const float* q = query + m * dim;
  float* to = scores + m * score_stride;
  switch (queries - m) {
    case 1:
      dot_keys<Type, 1, keys>(q, key, dim, to);
      break;
    case 2:
      dot_keys<Type, 2, keys>(q, key, dim, to);
      break;
    case 3:
      for (int j = 0; j < keys; j += half) dot_keys<Type, 3, half>(q, key + j * dim * Type::bytes, dim, to + j);
      break;
    default:
      break;
  }
}

/// Scores of few queries: dot products along the keys. `values` are only asked for, for the step that follows.
template <class Type>
[[maybe_unused]] void score_dots(const float* query, int64_t queries, const unsigned char* key, int64_t keys,
                                 int64_t dim, const unsigned char* values, float* scores) {
  const int64_t row = dim * Type::bytes;
  int64_t j = 0;
  for (; j + 4 <= keys; j += 4) {
    prefetch_row(values + j * row, 4 * row);
    dot_all_queries<Type, 4>(query, queries, key + j * row, dim, scores + j);
  }
  for (; j < keys; ++j) {
    prefetch_row(values + j * row, row);
    dot_all_queries<Type, 1>(query, queries, key + j * row, dim, scores + j);
  }
}

/// out[m, lanes] += sum over j of weights[m, j] * value[j, lanes], for one strip of 8 * vectors lanes. Row j of `ahead`
/// (null: nothing) is asked for at turn j.
template <class Type, int queries, int vectors>
inline void blend_strip(const float* weights, const unsigned char* value, int64_t keys, int64_t dim,
                        const unsigned char* ahead, float* out) {
  const int64_t row = dim * Type::bytes;
  __m256 sums[queries][vectors];
#pragma GCC unroll 4
  for (int m = 0; m < queries; ++m) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sums[m][v] = _mm256_loadu_ps(out + m * dim + 8 * v);
  }
  for (int64_t j = 0; j < keys; ++j) {
    if (ahead != nullptr) prefetch_row(ahead + j * row, row);
    __m256 lanes[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) lanes[v] = Type::load8(value + j * row + 8 * v * Type::bytes);
#pragma GCC unroll 4
    for (int m = 0; m < queries; ++m) {
      const __m256 weight = _mm256_broadcast_ss(weights + m * score_stride + j);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums[m][v] = _mm256_fmadd_ps(weight, lanes[v], sums[m][v]);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < queries; ++m) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) _mm256_storeu_ps(out + m * dim + 8 * v, sums[m][v]);
  }
}

template <class Type, int queries, int vectors>
inline void blend_strips(const float* weights, const unsigned char* value, int64_t keys, int64_t dim,
                         const unsigned char* ahead, float* out) {
  int64_t lane = 0;
  for (; lane + 8 * vectors <= dim; lane += 8 * vectors) {
    const unsigned char* first = lane == 0 ? ahead : nullptr;
    blend_strip<Type, queries, vectors>(weights, value + lane * Type::bytes, keys, dim, first, out + lane);
  }
  for (; lane < dim; lane += 8) {
    blend_strip<Type, queries, 1>(weights, value + lane * Type::bytes, keys, dim, nullptr, out + lane);
  }
}

/// out += weights x value for few queries. `ahead`: where the next run's keys are, or null.
template <class Type>
[[maybe_unused]] void blend_values(const float* weights, int64_t queries, const unsigned char* value, int64_t keys,
                                   int64_t dim, const unsigned char* ahead, float* out) {
  int64_t m = 0;
  for (; m + 4 <= queries; m += 4, ahead = nullptr) {
    blend_strips<Type, 4, 2>(weights + m * score_stride, value, keys, dim, ahead, out + m * dim);
  }
  weights += m * score_stride;
  out += m * dim;
  switch (queries - m) {
    case 1:
      blend_strips<Type, 1, 8>(weights, value, keys, dim, ahead, out);
      break;
    case 2:
      blend_strips<Type, 2, 4>(weights, value, keys, dim, ahead, out);
      break;
    case 3:
      blend_strips<Type, 3, 2>(weights, value, keys, dim, ahead, out);
      break;
    default:
      break;
  }
}

/// c += or = a x b by tiles: a [rows, depth], b [depth, columns], columns a multiple of 8.
[[maybe_unused]] void multiply_tiles(const float* a, int64_t a_stride, int64_t rows, const float* b, int64_t b_stride,
                                     int64_t depth, int64_t columns, float* c, int64_t c_stride, bool accumulate) {
  for (int64_t column = 0; column < columns; column += tile_columns) {
    for (int64_t r = 0; r < rows; r += tile_rows) {
      const int64_t count = rows - r < tile_rows ? rows - r : tile_rows;
      const float* from = a + r * a_stride;
      float* to = c + r * c_stride + column;
      if (column + tile_columns <= columns) {
        tile_product_rows<2>(count, from, a_stride, b + column, b_stride, depth, to, c_stride, accumulate, nullptr);
      } else {
        tile_product_rows<1>(count, from, a_stride, b + column, b_stride, depth, to, c_stride, accumulate, nullptr);
      }
    }
  }
}

/// To the nearest bfloat16 number, ties to even; values are finite.
[[maybe_unused]] inline __m256 round_to_bfloat16(__m256 values) {
  const __m256i bits = _mm256_castps_si256(values);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i raised = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  return _mm256_castsi256_ps(_mm256_and_si256(raised, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
}

/// How one query turns its raw scores into weights.
struct ScoreRule {
  float softcap;  ///< 0: none
  float slope;    ///< alibi, 0: none
  float rounded;  ///< above 0: alibi of bfloat16 numbers times this, from absolute positions
  float place;    ///< the query's position
};

/// The running softmax of one query (Milakov and Gimelshein 2018): scores[0 .. keys) become exp(score - maximum), zero
/// outside [begin, end) and up to the next multiple of 8; `maximum` and `denominator` take them in. Returns the factor
/// by which everything summed so far must be multiplied. `distance` is the first key's position minus the query's.
[[maybe_unused]] inline float soften_row(const ScoreRule& rule, int64_t keys, int64_t begin, int64_t end,
                                         float distance, float* scores, float& maximum, float& denominator) {
  const __m256 lane_numbers = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
  if (begin >= end) {
    for (int64_t j = 0; j < keys; j += 8) _mm256_storeu_ps(scores + j, _mm256_setzero_ps());
    return 1.0f;
  }
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 most = lowest;
  for (int64_t j = 0; j < keys; j += 8) {
    __m256 score = _mm256_loadu_ps(scores + j);
    if (rule.softcap > 0) {
      const __m256 cap = _mm256_set1_ps(rule.softcap);
      score = _mm256_mul_ps(cap, tanh8(_mm256_div_ps(score, cap)));
    }
    if (rule.slope != 0) {
      const __m256 away = _mm256_add_ps(_mm256_set1_ps(distance + static_cast<float>(j)), lane_numbers);
      if (rule.rounded > 0) {
        const __m256 own =
            round_to_bfloat16(_mm256_mul_ps(_mm256_set1_ps(rule.slope), round_to_bfloat16(_mm256_set1_ps(rule.place))));
        const __m256 there = round_to_bfloat16(_mm256_mul_ps(
            _mm256_set1_ps(rule.slope), round_to_bfloat16(_mm256_add_ps(_mm256_set1_ps(rule.place), away))));
        score = _mm256_fmadd_ps(_mm256_set1_ps(rule.rounded), _mm256_sub_ps(there, own), score);
      } else {
        score = _mm256_fmadd_ps(_mm256_set1_ps(rule.slope), away, score);
      }
    }
    if (j < begin || j + 8 > end) {
      const __m256 number = _mm256_add_ps(_mm256_set1_ps(static_cast<float>(j)), lane_numbers);
      const __m256 inside = _mm256_and_ps(_mm256_cmp_ps(number, _mm256_set1_ps(static_cast<float>(begin)), _CMP_GE_OQ),
                                          _mm256_cmp_ps(number, _mm256_set1_ps(static_cast<float>(end)), _CMP_LT_OQ));
      score = _mm256_blendv_ps(lowest, score, inside);
    }
    _mm256_storeu_ps(scores + j, score);
    most = _mm256_max_ps(most, score);
  }
  const float found = horizontal_max(most);
  const float raised = found > maximum ? found : maximum;
  const __m256 top = _mm256_set1_ps(raised == -__builtin_inff() ? 0.0f : raised);
  __m256 sum = _mm256_setzero_ps();
  for (int64_t j = 0; j < keys; j += 8) {
    const __m256 weight = exp8(_mm256_sub_ps(_mm256_loadu_ps(scores + j), top));
    _mm256_storeu_ps(scores + j, weight);
    sum = _mm256_add_ps(sum, weight);
  }
  const float factor = raised > maximum ? _mm256_cvtss_f32(exp8(_mm256_set1_ps(maximum - raised))) : 1.0f;
  denominator = denominator * factor + horizontal_sum(sum);
  maximum = raised;
  return factor;
}

}  // namespace
}  // namespace graft::kernels
