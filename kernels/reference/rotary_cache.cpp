#include <math.h>

#include "kernels/spec/convert.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

// RMS norm of x[0 .. width), in place.
void normalise(const RotaryCacheArgs& a, float* x, int64_t width, const void* weight) {
  double square = 0;
  for (int64_t i = 0; i < width; ++i) square += static_cast<double>(x[i]) * x[i];
  const double inverse = 1.0 / sqrt(square / static_cast<double>(width) + a.norm_epsilon);
  for (int64_t i = 0; i < width; ++i) {
    x[i] = static_cast<float>(x[i] * inverse * (a.norm_weight_offset + load_float(weight, i, a.norm_dtype)));
  }
}

void prepare(const RotaryCacheArgs& a, float* x, int64_t heads, const void* weight, int64_t row) {
  const int64_t head_dim = a.cache.head_dim;
  if (weight != nullptr && a.norm_whole) normalise(a, x, heads * head_dim, weight);
  for (int64_t h = 0; h < heads; ++h, x += head_dim) {
    if (weight != nullptr && !a.norm_whole) normalise(a, x, head_dim, weight);
    if (a.cosine == nullptr) continue;
    const int64_t pairs = a.rotary_dim / 2;
    for (int64_t i = 0; i < pairs; ++i) {
      const double cosine = a.cosine[row * pairs + i], sine = a.sine[row * pairs + i];
      float& first = a.interleaved ? x[2 * i] : x[i];
      float& second = a.interleaved ? x[2 * i + 1] : x[i + pairs];
      const double u = first, v = second;
      first = static_cast<float>(u * cosine - v * sine);
      second = static_cast<float>(v * cosine + u * sine);
    }
  }
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const RotaryCacheArgs*>(args);
  const PagedCache& cache = a.cache;
  const int64_t head_dim = cache.head_dim;
  for (int64_t t = 0; t < *a.rows; ++t) {
    float* query = a.qkv + t * a.qkv_stride;
    float* key = query + a.heads * head_dim;
    const float* value = key + cache.kv_heads * head_dim;
    prepare(a, query, a.heads, a.query_norm, t);
    prepare(a, key, cache.kv_heads, a.key_norm, t);
    if (a.slots[t] < 0) continue;
    const int64_t block = a.slots[t] / cache.block_size, offset = a.slots[t] % cache.block_size;
    for (int64_t h = 0; h < cache.kv_heads; ++h) {
      const int64_t at = ((block * cache.kv_heads + h) * cache.block_size + offset) * head_dim;
      for (int64_t i = 0; i < head_dim; ++i) {
        store_float(cache.key, at + i, cache.dtype, key[h * head_dim + i]);
        store_float(cache.value, at + i, cache.dtype, value[h * head_dim + i]);
      }
    }
  }
}

}  // namespace

extern const Variant kernel_reference_rotary_cache;
const Variant kernel_reference_rotary_cache = {Op::rotary_cache, Isa::reference, "rotary_cache.reference",
                                               nullptr,          nullptr,        run};

}  // namespace graft::kernels
