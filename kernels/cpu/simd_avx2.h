// AVX2 building blocks. Only for files compiled with -mavx2 -mfma -mf16c: everything has internal linkage, so that none
// of this code can be picked by the linker for another file.
#pragma once

#include <immintrin.h>

#include "kernels/spec/convert.h"

namespace graft::kernels {
namespace {

// Element types as compile-time tags. load8 reads eight elements at any alignment and widens them to float32.

struct Float32 {
  static constexpr int64_t bytes = 4;
  static constexpr DType dtype = DType::float32;
  static inline __m256 load8(const unsigned char* p) { return _mm256_loadu_ps(reinterpret_cast<const float*>(p)); }
  static inline void store8(unsigned char* p, __m256 v) { _mm256_storeu_ps(reinterpret_cast<float*>(p), v); }
};

struct BFloat16 {
  static constexpr int64_t bytes = 2;
  static constexpr DType dtype = DType::bfloat16;
  static inline __m256 load8(const unsigned char* p) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
  static inline void store8(unsigned char* p, __m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 is_nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
    const __m256i chosen = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(is_nan));
    const __m256i high = _mm256_srli_epi32(chosen, 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }
};

struct Float16 {
  static constexpr int64_t bytes = 2;
  static constexpr DType dtype = DType::float16;
  static inline __m256 load8(const unsigned char* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static inline void store8(unsigned char* p, __m256 v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
};

/// Calls body with the tag of `dtype`. The caller's accepts() has excluded all other types.
template <class Body>
[[maybe_unused]] inline void with_float_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::bfloat16:
      body(BFloat16{});
      break;
    case DType::float16:
      body(Float16{});
      break;
    default:
      body(Float32{});
      break;
  }
}

template <class Type>
inline float load1(const unsigned char* base, int64_t index) {
  return load_float(base, index, Type::dtype);
}

[[maybe_unused]] inline const unsigned char* bytes_of(const void* p) { return static_cast<const unsigned char*>(p); }

[[maybe_unused]] inline float horizontal_sum(__m256 v) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/// {sum(a), sum(b), sum(c), sum(d)}
[[maybe_unused]] inline __m128 horizontal_sums(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 sums = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}

[[maybe_unused]] inline float horizontal_max(__m256 v) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

/// Mask of the first `count` lanes (0..8), for maskload and maskstore.
[[maybe_unused]] inline __m256i first_lanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// exp(x), error under 2 units in the last place; 0 below -87.3, infinity above 88.7, NaN stays NaN.
/// x = n ln2 + r with |r| <= ln2 / 2, and exp(r) by its Taylor polynomial of degree 7.
[[maybe_unused]] inline __m256 exp8(__m256 x) {
  const __m256 low = _mm256_set1_ps(-87.3365448f), high = _mm256_set1_ps(88.7228391f);
  const __m256 clamped = _mm256_max_ps(low, _mm256_min_ps(high, x));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(clamped, _mm256_set1_ps(1.44269504f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), clamped);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  __m256 p = _mm256_set1_ps(1.0f / 5040);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 720));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  // Two factors, because 2^n alone leaves float32's range at n = 128.
  const __m256i exponent = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(exponent, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(exponent, half), bias), 23);
  __m256 result = _mm256_mul_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
  result = _mm256_andnot_ps(_mm256_cmp_ps(x, low, _CMP_LT_OQ), result);
  const __m256 infinity = _mm256_set1_ps(__builtin_inff());
  return _mm256_blendv_ps(result, infinity, _mm256_cmp_ps(x, high, _CMP_GT_OQ));
}

/// tanh(x): a polynomial of x (x^2) near zero, where 1 - 2 / (exp(2x) + 1) would lose the small digits.
[[maybe_unused]] inline __m256 tanh8(__m256 x) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0f));
  const __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
  const __m256 grown = exp8(_mm256_add_ps(magnitude, magnitude));
  const __m256 far = _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0f), _mm256_add_ps(grown, one)));
  const __m256 square = _mm256_mul_ps(x, x);  // Taylor to x^13: relative error 1e-7 at 0.4
  __m256 p = _mm256_set1_ps(21844.0f / 6081075);
  p = _mm256_fmadd_ps(p, square, _mm256_set1_ps(-1382.0f / 155925));
  p = _mm256_fmadd_ps(p, square, _mm256_set1_ps(62.0f / 2835));
  p = _mm256_fmadd_ps(p, square, _mm256_set1_ps(-17.0f / 315));
  p = _mm256_fmadd_ps(p, square, _mm256_set1_ps(2.0f / 15));
  p = _mm256_fmadd_ps(p, square, _mm256_set1_ps(-1.0f / 3));
  const __m256 near = _mm256_fmadd_ps(_mm256_mul_ps(p, square), magnitude, magnitude);
  const __m256 is_near = _mm256_cmp_ps(magnitude, _mm256_set1_ps(0.4f), _CMP_LT_OQ);
  return _mm256_or_ps(_mm256_blendv_ps(far, near, is_near), sign);
}

}  // namespace
}  // namespace graft::kernels
