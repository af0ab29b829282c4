#include "core/autotp/fused_layout.h"

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

struct TypeOfClass {
  std::string_view layer_class;
  FusedType type;
};

constexpr TypeOfClass table[] = {
    {"BloomBlock", FusedType::bloom},
    {"FalconDecoderLayer", FusedType::bloom},
    {"GLMBlock", FusedType::glm},
    {"MPTBlock", FusedType::glm},
    {"MptBlock", FusedType::glm},
    {"BaichuanLayer", FusedType::glm},
    {"DecoderLayer", FusedType::glm},
    {"QWenBlock", FusedType::qwen},
    {"Phi3DecoderLayer", FusedType::phi3},
    {"CodeGenBlock", FusedType::codegen},
    {"GPTBigCodeBlock", FusedType::bigcode},
};

}  // namespace

FusedLayout shard_by_type(std::string_view printed_layer) {
  const TypeOfClass* best = nullptr;
  for (const TypeOfClass& row : table) {
    if (printed_layer.find(row.layer_class) == std::string_view::npos) continue;
    if (best == nullptr || row.layer_class.size() > best->layer_class.size()) best = &row;
  }
  if (best != nullptr) return {best->type, ""};
  const std::string_view layer_class = printed_layer.substr(0, printed_layer.find('('));
  return {FusedType::bloom,
          fmt::format("AutoTP does not know the fused query_key_value of {}: taken as queries, key and value of one KV "
                      "head after the other",
                      quote(layer_class))};
}

FusedRows fused_rows(FusedType type, int64_t heads, int64_t kv_heads, int64_t head_dim) {
  switch (type) {
    case FusedType::bloom:
      return fused_grouped(heads, kv_heads, head_dim);
    case FusedType::glm:
    case FusedType::qwen:
    case FusedType::phi3:
      return fused_thirds(heads, kv_heads, head_dim);
    case FusedType::codegen:
      if (kv_heads != heads) {
        fail(StatusCode::invalid_argument,
             "fused query_key_value of CodeGen: found {} heads and {} KV heads, expected as "
             "many",
             heads, kv_heads);
      }
      return fused_codegen(heads, head_dim);
    case FusedType::bigcode:
      return kv_heads == 1 ? fused_bigcode(heads, head_dim) : fused_grouped(heads, kv_heads, head_dim);
  }
  fail(StatusCode::internal, "fused query_key_value: no layout {}", static_cast<int32_t>(type));
}

}  // namespace graft
