#include "kernels/spec/activation.h"

#include <math.h>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

// x * sigmoid(z)
inline __m256 gate8(__m256 x, __m256 z) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 negated = _mm256_xor_ps(z, _mm256_set1_ps(-0.0f));
  return _mm256_div_ps(x, _mm256_add_ps(one, exp8(negated)));
}

struct GeluErf {  // erff has no vector form here; BERT-like models only
  static inline __m256 apply(__m256 x) {
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, x);
    for (float& lane : lanes) lane = 0.5f * lane * (1.0f + erff(lane * 0.70710678f));
    return _mm256_load_ps(lanes);
  }
};

struct GeluTanh {  // 0.5 (1 + tanh(u)) = sigmoid(2u)
  static inline __m256 apply(__m256 x) {
    const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(0.044715f), _mm256_set1_ps(1.0f));
    return gate8(x, _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.59576912f)), cubic));
  }
};

struct Relu {
  static inline __m256 apply(__m256 x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }  // keeps NaN
};

struct Silu {
  static inline __m256 apply(__m256 x) { return gate8(x, x); }
};

struct QuickGelu {
  static inline __m256 apply(__m256 x) { return gate8(x, _mm256_mul_ps(x, _mm256_set1_ps(1.702f))); }
};

struct Tanh {
  static inline __m256 apply(__m256 x) { return tanh8(x); }
};

template <class Function>
void apply_range(const float* x, const float* up, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = Function::apply(_mm256_loadu_ps(x + i));
    if (up != nullptr) value = _mm256_mul_ps(value, _mm256_loadu_ps(up + i));
    _mm256_storeu_ps(out + i, value);
  }
  if (i == count) return;
  const __m256i lanes = first_lanes(count - i);
  __m256 value = Function::apply(_mm256_maskload_ps(x + i, lanes));
  if (up != nullptr) value = _mm256_mul_ps(value, _mm256_maskload_ps(up + i, lanes));
  _mm256_maskstore_ps(out + i, lanes, value);
}

void apply(Activation kind, const float* x, const float* up, int64_t count, float* out) {
  switch (kind) {
    case Activation::gelu:
      return apply_range<GeluErf>(x, up, count, out);
    case Activation::gelu_tanh:
      return apply_range<GeluTanh>(x, up, count, out);
    case Activation::relu:
      return apply_range<Relu>(x, up, count, out);
    case Activation::silu:
      return apply_range<Silu>(x, up, count, out);
    case Activation::quick_gelu:
      return apply_range<QuickGelu>(x, up, count, out);
    case Activation::tanh:
      return apply_range<Tanh>(x, up, count, out);
  }
}

bool accepts(const void* args) {
  const auto kind = static_cast<int32_t>(static_cast<const ActivationArgs*>(args)->kind);
  return kind >= 0 && kind <= static_cast<int32_t>(Activation::tanh);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ActivationArgs*>(args);
  // Ranges over all elements, so that one wide row is shared out too; multiples of 8 lanes inside a row.
  const int64_t pieces = a.width > 0 ? (a.width + 511) / 512 : 0;
  for_each_range(context, *a.rows * pieces, 32, [&](int64_t begin, int64_t end, int32_t) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t row = piece / pieces, first = piece % pieces * 512;
      const int64_t count = a.width - first < 512 ? a.width - first : 512;
      const float* x = a.x + row * a.x_stride + first;
      apply(a.kind, x, a.gated ? x + a.width : nullptr, count, a.out + row * a.out_stride + first);
    }
  });
}

}  // namespace

extern const Variant kernel_cpu_activation_avx2;
const Variant kernel_cpu_activation_avx2 = {Op::activation, Isa::avx2, "activation.avx2", accepts, nullptr, run};

}  // namespace graft::kernels
