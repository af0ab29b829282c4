// Llama 1 to 3 and the many checkpoints that share its class. Source: Transformers models/llama.
#include "core/policies/policy.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"llama", nullptr};

Blueprint describe(const JsonObject& config) {
  GatedDecoder family;
  family.prefix = "Llama";
  family.query_key_value_bias = config.get_bool("attention_bias", false);
  family.output_bias = family.query_key_value_bias;
  family.feed_forward_bias = config.get_bool("mlp_bias", false);
  return describe_gated_decoder(config, family);
}

}  // namespace

extern const Policy policy_llama;
const Policy policy_llama{"llama", model_types, "LlamaDecoderLayer", describe};

}  // namespace graft
