// Where the heads are in a fused query_key_value weight.
#pragma once

#include <cstdint>
#include <vector>

namespace graft {

/// First stored row of every query head and KV head; each is head_dim rows long.
struct FusedRows {
  std::vector<int64_t> query;
  std::vector<int64_t> key;
  std::vector<int64_t> value;
};

/// All query heads, then all key heads, then all value heads (GPT-2, Phi-3; ChatGLM, Baichuan and MPT as equal thirds;
/// GPT-BigCode with one KV head).
FusedRows fused_thirds(int64_t heads, int64_t kv_heads, int64_t head_dim);

/// KV head by KV head: its query heads, its key, its value. As many KV heads as query heads is the per-head layout of
/// BLOOM, GPT-NeoX and Megatron 2; one KV head is Falcon 7B's.
FusedRows fused_grouped(int64_t heads, int64_t kv_heads, int64_t head_dim);

/// CodeGen: `blocks` blocks, each with the queries, the values and the keys of its heads.
FusedRows fused_blocks(int64_t heads, int64_t blocks, int64_t head_dim);

}  // namespace graft
