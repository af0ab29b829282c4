// Which layout a layer's fused query_key_value has, by DeepSpeed's table of layer classes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/model/fused_rows.h"

namespace graft {

/// DeepSpeed's types, named after their first families.
enum class FusedType : int32_t {
  bloom,    ///< per KV head: its queries, key, value
  glm,      ///< all queries, all keys, all values
  qwen,     ///< as glm
  phi3,     ///< as glm
  codegen,  ///< four blocks of queries, values, keys
  bigcode,  ///< all queries, then one key and one value
};

struct FusedLayout {
  FusedType type = FusedType::bloom;
  std::string warning;  ///< not empty: no class of the table was found and `bloom` is a guess
};

/// The type of the longest class name of the table that the printed layer contains, otherwise bloom with a warning.
FusedLayout shard_by_type(std::string_view printed_layer);

/// The rows of a type's heads. GPTBigCode without multi-query attention has as many KV heads as heads and interleaves
/// them as bloom does. Errors as of core/model/fused_rows.h; `invalid_argument` for CodeGen with fewer KV heads.
FusedRows fused_rows(FusedType type, int64_t heads, int64_t kv_heads, int64_t head_dim);

}  // namespace graft
