#include "kernels/spec/residual_norm.h"

#include <math.h>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

template <class Type>
void add_row(const unsigned char* row, int64_t width, float* to) {
  int64_t i = 0;
  for (; i + 8 <= width; i += 8) {
    _mm256_storeu_ps(to + i, _mm256_add_ps(_mm256_loadu_ps(to + i), Type::load8(row + i * Type::bytes)));
  }
  for (; i < width; ++i) to[i] += load1<Type>(row, i);
}

float row_sum(const float* x, int64_t width) {
  __m256 even = _mm256_setzero_ps(), odd = even;
  int64_t i = 0;
  for (; i + 16 <= width; i += 16) {
    even = _mm256_add_ps(even, _mm256_loadu_ps(x + i));
    odd = _mm256_add_ps(odd, _mm256_loadu_ps(x + i + 8));
  }
  float sum = horizontal_sum(_mm256_add_ps(even, odd));
  for (; i < width; ++i) sum += x[i];
  return sum;
}

float row_squares(const float* x, int64_t width, float mean) {
  const __m256 middle = _mm256_set1_ps(mean);
  __m256 even = _mm256_setzero_ps(), odd = even;
  int64_t i = 0;
  for (; i + 16 <= width; i += 16) {
    const __m256 a = _mm256_sub_ps(_mm256_loadu_ps(x + i), middle);
    const __m256 b = _mm256_sub_ps(_mm256_loadu_ps(x + i + 8), middle);
    even = _mm256_fmadd_ps(a, a, even);
    odd = _mm256_fmadd_ps(b, b, odd);
  }
  float sum = horizontal_sum(_mm256_add_ps(even, odd));
  for (; i < width; ++i) sum += (x[i] - mean) * (x[i] - mean);
  return sum;
}

template <class Type>
void write_row(const ResidualNormArgs& a, const float* x, float mean, float inverse, float* out) {
  const unsigned char* weight = bytes_of(a.weight);
  const unsigned char* bias = bytes_of(a.bias);
  const __m256 middle = _mm256_set1_ps(mean), factor = _mm256_set1_ps(inverse),
               offset = _mm256_set1_ps(a.weight_offset);
  int64_t i = 0;
  for (; i + 8 <= a.width; i += 8) {
    __m256 value = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(x + i), middle), factor);
    if (weight != nullptr) value = _mm256_mul_ps(value, _mm256_add_ps(offset, Type::load8(weight + i * Type::bytes)));
    if (bias != nullptr) value = _mm256_add_ps(value, Type::load8(bias + i * Type::bytes));
    _mm256_storeu_ps(out + i, value);
  }
  for (; i < a.width; ++i) {
    float value = (x[i] - mean) * inverse;
    if (weight != nullptr) value *= a.weight_offset + load1<Type>(weight, i);
    if (bias != nullptr) value += load1<Type>(bias, i);
    out[i] = value;
  }
}

void run_row(const ResidualNormArgs& a, int64_t row) {
  float* x = a.residual + row * a.width;
  if (a.delta != nullptr) add_row<Float32>(bytes_of(a.delta + row * a.width), a.width, x);
  if (a.delta_bias != nullptr) {
    with_float_type(a.delta_bias_dtype,
                    [&](auto type) { add_row<decltype(type)>(bytes_of(a.delta_bias), a.width, x); });
  }
  if (a.out == nullptr) return;
  const float width = static_cast<float>(a.width);
  const float mean = a.kind == NormKind::layer ? row_sum(x, a.width) / width : 0.0f;
  const float inverse = 1.0f / sqrtf(row_squares(x, a.width, mean) / width + a.epsilon);
  with_float_type(a.weight_dtype,
                  [&](auto type) { write_row<decltype(type)>(a, x, mean, inverse, a.out + row * a.width); });
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const ResidualNormArgs*>(args);
  const bool weighted = a.weight != nullptr || a.bias != nullptr;
  return (!weighted || float_dtype_bytes(a.weight_dtype) != 0) &&
         (a.delta_bias == nullptr || float_dtype_bytes(a.delta_bias_dtype) != 0);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ResidualNormArgs*>(args);
  const int64_t grain = 1 + 32768 / (a.width + 1);
  for_each_range(context, *a.rows, grain, [&](int64_t begin, int64_t end, int32_t) {
    for (int64_t row = begin; row < end; ++row) run_row(a, row);
  });
}

}  // namespace

extern const Variant kernel_cpu_residual_norm_avx2;
const Variant kernel_cpu_residual_norm_avx2 = {Op::residual_norm, Isa::avx2, "residual_norm.avx2",
                                               accepts,           nullptr,   run};

}  // namespace graft::kernels
