#include "kernels/spec/variant.h"
namespace graft::kernels {
extern const Variant kernel_reference_activation;
extern const Variant kernel_reference_attention;
extern const Variant kernel_reference_embedding;
extern const Variant kernel_reference_gather_rows;
extern const Variant kernel_reference_linear;
extern const Variant kernel_reference_residual_norm;
extern const Variant kernel_reference_rotary_cache;
extern const Variant kernel_reference_rotary_table;
extern const Variant kernel_cpu_activation_avx2;
extern const Variant kernel_cpu_attention_avx2;
extern const Variant kernel_cpu_embedding_avx2;
extern const Variant kernel_cpu_gather_rows_baseline;
extern const Variant kernel_cpu_linear_gemm_avx2;
extern const Variant kernel_cpu_linear_gemv_avx2;
extern const Variant kernel_cpu_residual_norm_avx2;
extern const Variant kernel_cpu_rotary_cache_avx2;
extern const Variant kernel_cpu_rotary_table_baseline;
namespace { const Variant* const list[] = {
  &kernel_reference_activation,
  &kernel_reference_attention,
  &kernel_reference_embedding,
  &kernel_reference_gather_rows,
  &kernel_reference_linear,
  &kernel_reference_residual_norm,
  &kernel_reference_rotary_cache,
  &kernel_reference_rotary_table,
  &kernel_cpu_activation_avx2,
  &kernel_cpu_attention_avx2,
  &kernel_cpu_embedding_avx2,
  &kernel_cpu_gather_rows_baseline,
  &kernel_cpu_linear_gemm_avx2,
  &kernel_cpu_linear_gemv_avx2,
  &kernel_cpu_residual_norm_avx2,
  &kernel_cpu_rotary_cache_avx2,
  &kernel_cpu_rotary_table_baseline,
};
const VariantTable table = {list, sizeof(list) / sizeof(list[0])}; }
const VariantTable& variant_table() { return table; }
}
