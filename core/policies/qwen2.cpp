// Qwen 2 and 2.5: biases on query, key and value alone; `sliding_window` counts only with `use_sliding_window`, and
// then from layer `max_window_layers` on. Source: Transformers models/qwen2.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"qwen2", nullptr};

Blueprint describe(const JsonObject& config) {
  GatedDecoder family;
  family.prefix = "Qwen2";
  family.query_key_value_bias = true;
  family.windows = read_optional_windows(config);
  return describe_gated_decoder(config, family);
}

}  // namespace

extern const Policy policy_qwen2;
const Policy policy_qwen2{"qwen2", model_types, "Qwen2DecoderLayer", describe};

}  // namespace graft
