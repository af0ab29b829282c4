#include "core/model/fused_rows.h"

#include "core/base/checked.h"
#include "core/base/status.h"

namespace graft {
namespace {

constexpr int64_t max_heads = int64_t{1} << 20;
constexpr int64_t codegen_blocks = 4;

/// The number of rows must fit, so that nothing below can overflow.
void check(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  if (heads < 1 || kv_heads < 1 || head_dim < 1 || heads % kv_heads != 0) {
    fail(StatusCode::invalid_argument,
         "fused query_key_value: found {} heads, {} KV heads of {} rows, expected positive numbers and a multiple",
         heads, kv_heads, head_dim);
  }
  if (heads > max_heads) {
    fail(StatusCode::limit_exceeded, "fused query_key_value: found {} heads, expected at most {}", heads, max_heads);
  }
  checked_multiply(heads + 2 * kv_heads, head_dim, "fused query_key_value: heads * rows");
}

void append_heads(std::vector<int64_t>& rows, int64_t first_row, int64_t heads, int64_t head_dim) {
  for (int64_t head = 0; head < heads; ++head) {
    rows.push_back(first_row + head * head_dim);
  }
}

}  // namespace

FusedRows fused_thirds(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  check(heads, kv_heads, head_dim);
  FusedRows rows;
  append_heads(rows.query, 0, heads, head_dim);
  append_heads(rows.key, heads * head_dim, kv_heads, head_dim);
  append_heads(rows.value, (heads + kv_heads) * head_dim, kv_heads, head_dim);
  return rows;
}

FusedRows fused_grouped(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  check(heads, kv_heads, head_dim);
  FusedRows rows;
  const int64_t group = heads / kv_heads;
  for (int64_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
    const int64_t first_row = kv_head * (group + 2) * head_dim;
    append_heads(rows.query, first_row, group, head_dim);
    append_heads(rows.key, first_row + group * head_dim, 1, head_dim);
    append_heads(rows.value, first_row + (group + 1) * head_dim, 1, head_dim);
  }
  return rows;
}

FusedRows fused_codegen(int64_t heads, int64_t head_dim) {
  check(heads, heads, head_dim);
  if (heads % codegen_blocks != 0) {
    fail(StatusCode::invalid_argument, "fused query_key_value of CodeGen: found {} heads, expected a multiple of {}",
         heads, codegen_blocks);
  }
  FusedRows rows;
  const int64_t part = heads / codegen_blocks;
  for (int64_t block = 0; block < codegen_blocks; ++block) {
    const int64_t first_row = block * 3 * part * head_dim;
    append_heads(rows.query, first_row, part, head_dim);
    append_heads(rows.value, first_row + part * head_dim, part, head_dim);
    append_heads(rows.key, first_row + 2 * part * head_dim, part, head_dim);
  }
  return rows;
}

FusedRows fused_bigcode(int64_t heads, int64_t head_dim) { return fused_thirds(heads, 1, head_dim); }

}  // namespace graft
