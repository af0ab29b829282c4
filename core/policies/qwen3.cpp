// Qwen 3 (dense): RMS norm of every query and key head before rotation, head_dim of its own, no biases unless
// `attention_bias`. Source: Transformers models/qwen3.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"qwen3", nullptr};

Blueprint describe(const JsonObject& config) {
  GatedDecoder family;
  family.prefix = "Qwen3";
  family.query_key_norm = true;
  family.default_head_dim = 128;
  family.query_key_value_bias = config.get_bool("attention_bias", false);
  family.output_bias = family.query_key_value_bias;
  family.windows = read_optional_windows(config);
  return describe_gated_decoder(config, family);
}

}  // namespace

extern const Policy policy_qwen3;
const Policy policy_qwen3{"qwen3", model_types, "Qwen3DecoderLayer", describe};

}  // namespace graft
