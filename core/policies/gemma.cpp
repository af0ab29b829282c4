// Gemma 1: norms that store weight - 1, embeddings times the root of the width, wide heads, a tied head. Source:
// Transformers models/gemma.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/gated_decoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gemma", nullptr};

Blueprint describe(const JsonObject& config) {
  if (config.get_bool("use_bidirectional_attention", false)) {
    config.at("use_bidirectional_attention").fail_expected("false: Gemma as an encoder is not supported");
  }
  GatedDecoder family;
  family.prefix = "Gemma";
  family.query_key_value_bias = family.output_bias = config.get_bool("attention_bias", false);
  family.default_head_dim = 256;
  family.default_kv_heads = 16;
  family.default_activation = "gelu_pytorch_tanh";
  if (config.get_string("hidden_act", "") == "gelu") {  // the first release says this and means its approximation
    family.activation = Activation::gelu_tanh;
    family.activation_class = "GELUTanh";
  }
  family.default_padding = 0;
  family.norm.weight_offset = 1.0;
  family.embedding_scale = std::sqrt(static_cast<double>(config.require_int("hidden_size", width_range)));
  family.embedding_class = "GemmaTextScaledWordEmbedding";
  family.tied_by_default = true;
  return describe_gated_decoder(config, family);
}

}  // namespace

extern const Policy policy_gemma;
const Policy policy_gemma{"gemma", model_types, "GemmaDecoderLayer", describe};

}  // namespace graft
