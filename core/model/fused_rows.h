// Where the rows of each head are in a fused query_key_value weight.
#pragma once

#include <cstdint>
#include <vector>

namespace graft {

/// The first stored row of every query head, and of every KV head's keys and values; each is followed by the other
/// head_dim - 1 rows of that head.
struct FusedRows {
  std::vector<int64_t> query;
  std::vector<int64_t> key;
  std::vector<int64_t> value;
};

// All makers take counts of heads and the rows of one head, and fail with `invalid_argument` when kv_heads does not
// divide heads or a number is not positive, with `limit_exceeded` for more than 2^20 heads or rows past 64 bits.

/// All queries, all keys, all values (GPT-2, GLM, Phi-3, MPT).
FusedRows fused_thirds(int64_t heads, int64_t kv_heads, int64_t head_dim);

/// One KV head after the other: its query heads, its key, its value. As many KV heads as heads: BLOOM's and GPT-NeoX's
/// interleaving per head; one: the first Falcons; between: the later Falcons.
FusedRows fused_grouped(int64_t heads, int64_t kv_heads, int64_t head_dim);

/// CodeGen: four blocks, each with the queries, the values and the keys of a quarter of the heads. Fails with
/// `invalid_argument` when four does not divide the heads.
FusedRows fused_codegen(int64_t heads, int64_t head_dim);

/// GPTBigCode with multi-query attention: all queries, then the one key and the one value.
FusedRows fused_bigcode(int64_t heads, int64_t head_dim);

}  // namespace graft
