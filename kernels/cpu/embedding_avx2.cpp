#include "kernels/spec/embedding.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/simd_avx2.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

// out[i] = row[i] * scale, or += when `add`.
template <class Type>
void widen_row(const unsigned char* row, int64_t width, float scale, bool add, float* out) {
  const __m256 factor = _mm256_set1_ps(scale);
  int64_t i = 0;
  for (; i + 8 <= width; i += 8) {
    const __m256 value = _mm256_mul_ps(Type::load8(row + i * Type::bytes), factor);
    _mm256_storeu_ps(out + i, add ? _mm256_add_ps(_mm256_loadu_ps(out + i), value) : value);
  }
  for (; i < width; ++i) {
    const float value = load1<Type>(row, i) * scale;
    out[i] = add ? out[i] + value : value;
  }
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const EmbeddingArgs*>(args);
  return float_dtype_bytes(a.dtype) != 0 && (a.position_table == nullptr || float_dtype_bytes(a.position_dtype) != 0) &&
         (a.type_table == nullptr || float_dtype_bytes(a.type_dtype) != 0);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const EmbeddingArgs*>(args);
  const int64_t grain = 1 + 65536 / (a.width + 1);
  for_each_range(context, *a.rows, grain, [&](int64_t begin, int64_t end, int32_t) {
    for (int64_t t = begin; t < end; ++t) {
      float* out = a.out + t * a.width;
      with_float_type(a.dtype, [&](auto type) {
        using Type = decltype(type);
        widen_row<Type>(bytes_of(a.table) + a.ids[t] * a.width * Type::bytes, a.width, a.scale, false, out);
      });
      if (a.type_table != nullptr) {
        with_float_type(a.type_dtype, [&](auto type) {
          using Type = decltype(type);
          widen_row<Type>(bytes_of(a.type_table) + a.types[t] * a.width * Type::bytes, a.width, 1.0f, true, out);
        });
      }
      if (a.position_table == nullptr) continue;
      const int64_t position = a.positions[t] + a.position_offset;
      with_float_type(a.position_dtype, [&](auto type) {
        using Type = decltype(type);
        widen_row<Type>(bytes_of(a.position_table) + position * a.width * Type::bytes, a.width, 1.0f, true, out);
      });
    }
  });
}

}  // namespace

extern const Variant kernel_cpu_embedding_avx2;
const Variant kernel_cpu_embedding_avx2 = {Op::embedding, Isa::avx2, "embedding.avx2", accepts, nullptr, run};

}  // namespace graft::kernels
