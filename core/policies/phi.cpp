// Phi 1, 1.5 and 2: attention and feed-forward block side by side after one norm, part of each head rotated, a bias
// everywhere, the head's included. Source: Transformers models/phi.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/rope_config.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"phi", nullptr};

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.residual = ResidualForm::parallel;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_eps", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.get_int("num_attention_heads", 32, head_range);
  attention.kv_heads = json.get_int("num_key_value_heads", attention.heads, head_range);
  if (attention.heads % attention.kv_heads != 0) {
    json.at("num_key_value_heads").fail_expected("a divisor of 'num_attention_heads'");
  }
  attention.head_dim = json.get_int("head_dim", hidden / attention.heads, width_range);
  if (attention.head_dim < 1) json.at("num_attention_heads").fail_expected("at most 'hidden_size'");
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  attention.rope = 0;
  layer.feed_forward.intermediate_size = json.get_int("intermediate_size", 8192, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "hidden_act", "gelu_new");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json, int64_t index,
               int64_t hidden) {
  const AttentionConfig& a = layer.attention;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "PhiDecoderLayer");
  tree.open("self_attn", "PhiAttention");
  tree.linear("q_proj", Role::query, hidden, a.heads * a.head_dim, true);
  tree.linear("k_proj", Role::key, hidden, a.kv_heads * a.head_dim, true);
  tree.linear("v_proj", Role::value, hidden, a.kv_heads * a.head_dim, true);
  tree.linear("dense", Role::attention_output, a.heads * a.head_dim, hidden, true);
  tree.close();
  tree.open("mlp", "PhiMLP");
  tree.plain("activation_fn", read_activation_class(json, "hidden_act", "gelu_new"));
  tree.linear("fc1", Role::up, hidden, intermediate, true);
  tree.linear("fc2", Role::down, intermediate, hidden, true);
  tree.close();
  tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.plain("resid_dropout", "Dropout", dropout_detail(json, "resid_pdrop", "0.0"));
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  if (json.get_bool("qk_layernorm", false)) {
    json.at("qk_layernorm").fail_expected("false: norms of queries and keys are not supported in Phi");
  }
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "PhiForCausalLM";
  config.hidden_size = json.get_int("hidden_size", 2048, width_range);
  config.vocabulary = json.get_int("vocab_size", 51200, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", false);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("num_hidden_layers", 24, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  RopeDefaults rope;
  rope.reads_partial_rotary = true;
  rope.partial_rotary_factor = 0.5;
  config.ropes = {read_rope(json, layer.attention.head_dim, config.max_positions, rope)};
  config.layers.assign(static_cast<size_t>(layers), layer);
  config.final_norm = layer.norm;

  blueprint.base_prefix = "model.";
  blueprint.skipped_tensors = {"*rotary_emb.inv_freq"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("model", "PhiModel");
  tree.embedding("embed_tokens", Role::token_embedding, config.vocabulary, config.hidden_size,
                 read_padding_row(json, config.vocabulary));
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(tree, layer, json, i, config.hidden_size);
  tree.close();
  tree.plain("rotary_emb", "PhiRotaryEmbedding");
  tree.plain("embed_dropout", "Dropout", dropout_detail(json, "embd_pdrop", "0.0"));
  tree.norm("final_layernorm", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, true);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_phi;
const Policy policy_phi{"phi", model_types, "PhiDecoderLayer", describe};

}  // namespace graft
