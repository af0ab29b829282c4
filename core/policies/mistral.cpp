// Mistral 7B, Nemo and their kin: every layer sees `sliding_window` tokens where it is set. Source: Transformers
// models/mistral.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"mistral", nullptr};

Blueprint describe(const JsonObject& config) {
  GatedDecoder family;
  family.prefix = "Mistral";
  family.default_kv_heads = 8;
  const int64_t window = config.get_int("sliding_window", 0, position_range);  // null: no window
  const int64_t layers = config.require_int("num_hidden_layers", layer_range);
  family.windows.assign(static_cast<size_t>(layers), window);
  return describe_gated_decoder(config, family);
}

}  // namespace

extern const Policy policy_mistral;
const Policy policy_mistral{"mistral", model_types, "MistralDecoderLayer", describe};

}  // namespace graft
