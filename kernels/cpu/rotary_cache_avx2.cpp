#include <math.h>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

template <class Type>
void normalise(const RotaryCacheArgs& a, float* x, int64_t width, const unsigned char* weight) {
  __m256 squares = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + 8 <= width; i += 8) {
    const __m256 value = _mm256_loadu_ps(x + i);
    squares = _mm256_fmadd_ps(value, value, squares);
  }
  float sum = horizontal_sum(squares);
  for (; i < width; ++i) sum += x[i] * x[i];
  const float inverse = 1.0f / sqrtf(sum / static_cast<float>(width) + a.norm_epsilon);
  const __m256 factor = _mm256_set1_ps(inverse), offset = _mm256_set1_ps(a.norm_weight_offset);
  for (i = 0; i + 8 <= width; i += 8) {
    const __m256 scale = _mm256_add_ps(offset, Type::load8(weight + i * Type::bytes));
    _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), factor), scale));
  }
  for (; i < width; ++i) x[i] = x[i] * inverse * (a.norm_weight_offset + load1<Type>(weight, i));
}

// Lanes (i, i + pairs) turn by angle i.
void rotate_halves(float* x, int64_t pairs, const float* cosine, const float* sine) {
  int64_t i = 0;
  for (; i + 8 <= pairs; i += 8) {
    const __m256 u = _mm256_loadu_ps(x + i), v = _mm256_loadu_ps(x + pairs + i);
    const __m256 c = _mm256_loadu_ps(cosine + i), s = _mm256_loadu_ps(sine + i);
    _mm256_storeu_ps(x + i, _mm256_fmsub_ps(u, c, _mm256_mul_ps(v, s)));
    _mm256_storeu_ps(x + pairs + i, _mm256_fmadd_ps(v, c, _mm256_mul_ps(u, s)));
  }
  for (; i < pairs; ++i) {
    const float u = x[i], v = x[pairs + i];
    x[i] = u * cosine[i] - v * sine[i];
    x[pairs + i] = v * cosine[i] + u * sine[i];
  }
}

// {a0, a0, a1, a1, a2, a2, a3, a3}
inline __m256 twice_each(const float* a) {
  const __m256 four = _mm256_castps128_ps256(_mm_loadu_ps(a));
  return _mm256_permutevar8x32_ps(four, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

// Lanes (2i, 2i + 1) turn by angle i.
void rotate_pairs(float* x, int64_t pairs, const float* cosine, const float* sine) {
  int64_t i = 0;
  for (; i + 4 <= pairs; i += 4) {
    const __m256 uv = _mm256_loadu_ps(x + 2 * i);
    const __m256 vu = _mm256_permute_ps(uv, 0xb1);
    const __m256 crossed = _mm256_mul_ps(vu, twice_each(sine + i));
    _mm256_storeu_ps(x + 2 * i, _mm256_fmaddsub_ps(uv, twice_each(cosine + i), crossed));
  }
  for (; i < pairs; ++i) {
    const float u = x[2 * i], v = x[2 * i + 1];
    x[2 * i] = u * cosine[i] - v * sine[i];
    x[2 * i + 1] = v * cosine[i] + u * sine[i];
  }
}

void prepare(const RotaryCacheArgs& a, float* x, int64_t heads, const void* weight, int64_t row) {
  const int64_t head_dim = a.cache.head_dim, pairs = a.rotary_dim / 2;
  if (weight != nullptr) {
    with_float_type(a.norm_dtype, [&](auto type) {
      using Type = decltype(type);
      if (a.norm_whole) return normalise<Type>(a, x, heads * head_dim, bytes_of(weight));
      for (int64_t h = 0; h < heads; ++h) normalise<Type>(a, x + h * head_dim, head_dim, bytes_of(weight));
    });
  }
  if (a.cosine == nullptr) return;
  const float* cosine = a.cosine + row * pairs;
  const float* sine = a.sine + row * pairs;
  for (int64_t h = 0; h < heads; ++h) {
    if (a.interleaved) {
      rotate_pairs(x + h * head_dim, pairs, cosine, sine);
    } else {
      rotate_halves(x + h * head_dim, pairs, cosine, sine);
    }
  }
}

// Writes every head of one token to its slot, in the cache's type.
template <class Type>
void write_slot(const PagedCache& cache, int64_t slot, const float* from, void* to) {
  const int64_t head_dim = cache.head_dim, block = slot / cache.block_size, offset = slot % cache.block_size;
  for (int64_t h = 0; h < cache.kv_heads; ++h, from += head_dim) {
    const int64_t at = ((block * cache.kv_heads + h) * cache.block_size + offset) * head_dim;
    unsigned char* bytes = static_cast<unsigned char*>(to) + at * Type::bytes;
    int64_t i = 0;
    for (; i + 8 <= head_dim; i += 8) Type::store8(bytes + i * Type::bytes, _mm256_loadu_ps(from + i));
    for (; i < head_dim; ++i) store_float(bytes, i, Type::dtype, from[i]);
  }
}

void run_row(const RotaryCacheArgs& a, int64_t row) {
  const PagedCache& cache = a.cache;
  float* query = a.qkv + row * a.qkv_stride;
  float* key = query + static_cast<int64_t>(a.heads) * cache.head_dim;
  const float* value = key + static_cast<int64_t>(cache.kv_heads) * cache.head_dim;
  prepare(a, query, a.heads, a.query_norm, row);
  prepare(a, key, cache.kv_heads, a.key_norm, row);
  const int64_t slot = a.slots[row];
  if (slot < 0) return;
  with_float_type(cache.dtype, [&](auto type) {
    write_slot<decltype(type)>(cache, slot, key, cache.key);
    write_slot<decltype(type)>(cache, slot, value, cache.value);
  });
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const RotaryCacheArgs*>(args);
  const bool normed = a.query_norm != nullptr || a.key_norm != nullptr;
  return float_dtype_bytes(a.cache.dtype) != 0 && (!normed || float_dtype_bytes(a.norm_dtype) != 0);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryCacheArgs*>(args);
  const int64_t width = (a.heads + 2 * static_cast<int64_t>(a.cache.kv_heads)) * a.cache.head_dim;
  for_each_range(context, *a.rows, 1 + 32768 / (width + 1), [&](int64_t begin, int64_t end, int32_t) {
    for (int64_t row = begin; row < end; ++row) run_row(a, row);
  });
}

}  // namespace

extern const Variant kernel_cpu_rotary_cache_avx2;
const Variant kernel_cpu_rotary_cache_avx2 = {Op::rotary_cache, Isa::avx2, "rotary_cache.avx2", accepts, nullptr, run};

}  // namespace graft::kernels
