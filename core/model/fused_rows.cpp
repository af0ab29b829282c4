#include "core/model/fused_rows.h"

namespace graft {

FusedRows fused_thirds(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  FusedRows rows;
  for (int64_t h = 0; h < heads; ++h) rows.query.push_back(h * head_dim);
  for (int64_t k = 0; k < kv_heads; ++k) rows.key.push_back((heads + k) * head_dim);
  for (int64_t k = 0; k < kv_heads; ++k) rows.value.push_back((heads + kv_heads + k) * head_dim);
  return rows;
}

FusedRows fused_grouped(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  FusedRows rows;
  const int64_t group = heads / kv_heads;
  for (int64_t k = 0; k < kv_heads; ++k) {
    const int64_t first = k * (group + 2);
    for (int64_t h = 0; h < group; ++h) rows.query.push_back((first + h) * head_dim);
    rows.key.push_back((first + group) * head_dim);
    rows.value.push_back((first + group + 1) * head_dim);
  }
  return rows;
}

FusedRows fused_blocks(int64_t heads, int64_t blocks, int64_t head_dim) {
  FusedRows rows;
  const int64_t each = heads / blocks;
  for (int64_t b = 0; b < blocks; ++b) {
    for (int64_t h = 0; h < each; ++h) {
      const int64_t first = 3 * b * each + h;
      rows.query.push_back(first * head_dim);
      rows.value.push_back((first + each) * head_dim);
      rows.key.push_back((first + 2 * each) * head_dim);
    }
  }
  return rows;
}

}  // namespace graft
