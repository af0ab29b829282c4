// What a family's config.json may say and Graft does not do is refused by the name of the key.
#include <gtest/gtest.h>

#include "core/policies/policy.h"

namespace graft {
namespace {

/// A small configuration of each family that is accepted; the keys of `extra` win.
std::string small(const std::string& family, const std::string& extra = "") {
  const std::string gptj = R"("vocab_size":128,"n_embd":64,"n_head":4,"n_layer":2,"rotary_dim":8)";
  const std::string llama =
      R"("vocab_size":128,"hidden_size":64,"intermediate_size":96,"num_hidden_layers":2,"num_attention_heads":4)";
  std::string keys;
  if (family == "gpt_neo") {
    keys = R"("vocab_size":128,"hidden_size":64,"num_layers":2,"num_heads":4,"attention_types":[[["global"],2]])";
  } else if (family == "gptj" || family == "codegen") {
    keys = gptj;
  } else if (family == "bloom") {
    keys = R"("vocab_size":128,"hidden_size":64,"n_layer":2,"n_head":4)";
  } else if (family == "llama_meta") {
    keys = R"("vocab_size":128,"dim":64,"n_layers":2,"n_heads":4)";
  } else if (family == "megatron_gpt") {
    keys = R"("vocab_size":128,"hidden_size":64,"num_layers":2,"num_attention_heads":4,)"
           R"("max_position_embeddings":64,"checkpoint_version":2.0)";
  } else {
    keys = llama;
  }
  return R"({"model_type":")" + family + "\"," + keys + (extra.empty() ? "" : "," + extra) + "}";
}

Blueprint describe(const std::string& config) {
  return match_policy(parse_json_object(config, "config.json"), JsonObject()).blueprint;
}

struct Refusal {
  const char* family;
  const char* extra;
  const char* key;
};

constexpr Refusal refusals[] = {
    {"gpt_neo", R"("attention_types":[[["global"],3]])", "attention_types"},
    {"gpt_neo", R"("attention_types":[[["global","local"],1000000000]])", "attention_types"},
    {"gpt_neo", R"("attention_types":[[["global","sparse"],1]])", "attention_types"},
    {"gpt_neo", R"("attention_types":[[["global"]]])", "attention_types"},
    {"gpt_neo", R"("attention_layers":["global","local"])", "attention_layers"},
    {"gpt_neo", R"("num_heads":5)", "num_heads"},
    {"gptj", R"("rotary_dim":18)", "rotary_dim"},
    {"gptj", R"("rotary_dim":7)", "rotary_dim"},
    {"gptj", R"("rotary_dim":0)", "rotary_dim"},
    {"gptj", R"("n_head":7)", "n_head"},
    {"codegen", R"("n_head":2)", "n_head"},
    {"codegen", R"("rotary_dim":64)", "rotary_dim"},
    {"gpt_neox", R"("num_attention_heads":7)", "num_attention_heads"},
    {"gpt_neox", R"("rotary_pct":0.3,"num_attention_heads":16)", "head_dim"},
    {"gpt_neox", R"("rope_theta":500.0)", "rope_theta"},
    {"gpt_neox", R"("partial_rotary_factor":1.0,"rotary_pct":0.5)", "partial_rotary_factor"},
    {"gpt_neox", R"("hidden_act":"sine")", "hidden_act"},
    {"bloom", R"("apply_residual_connection_post_layernorm":true)", "apply_residual_connection_post_layernorm"},
    {"bloom", R"("n_head":3)", "n_head"},
    {"bloom", R"("n_head":65536,"hidden_size":65536,"n_layer":4096)", "n_head"},
    {"opt", R"("layer_norm_elementwise_affine":false)", "layer_norm_elementwise_affine"},
    {"opt", R"("pad_token_id":128)", "pad_token_id"},
    {"internlm", R"("rotary":{"type":"spiral"})", "rotary.type"},
    {"internlm", R"("rope_scaling":{"type":"linear","factor":2.0})", "rope_scaling"},
    {"llama_meta", R"("use_scaled_rope":true)", "rope_scaling_factor"},
    {"llama_meta", R"("moe":{"num_experts":8})", "moe"},
    {"llama_meta", R"("hidden_dim":160)", "hidden_dim"},
    {"llama_meta", R"("vocab_size":-1)", "vocab_size"},
    {"llama_meta", R"("n_kv_heads":3)", "n_kv_heads"},
    {"llama_meta", R"("multiple_of":4194304,"ffn_dim_multiplier":100,"dim":1048576)", "feed-forward"},
    {"megatron_gpt", R"("checkpoint_version":1.0)", "checkpoint_version"},
    {"megatron_gpt", R"("swiglu":true)", "swiglu"},
    {"megatron_gpt", R"("apply_residual_connection_post_layernorm":true)", "apply_residual_connection_post_layernorm"},
    {"megatron_gpt", R"("position_embedding_type":"rope")", "position_embedding_type"},
};

TEST(Refusals, SmallConfigurationsAreAccepted) {
  for (const Refusal& refusal : refusals) EXPECT_NO_THROW(describe(small(refusal.family))) << refusal.family;
}

TEST(Refusals, NameTheKey) {
  for (const Refusal& refusal : refusals) {
    const std::string config = small(refusal.family, refusal.extra);
    try {
      describe(config);
      ADD_FAILURE() << "accepted: " << config;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(refusal.key), std::string::npos) << config << ": " << error.what();
    }
  }
}

TEST(Refusals, MegatronNeedsItsVersion) {
  std::string config = small("megatron_gpt");
  config.replace(config.find("checkpoint_version"), 18, "another");
  EXPECT_THROW(describe(config), Error);
}

}  // namespace
}  // namespace graft
