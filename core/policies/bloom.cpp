// BLOOM: ALiBi instead of positions, a norm over the embeddings, query, key and value of each head in one matrix.
// Source: Transformers models/bloom.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"bloom", nullptr};

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  layer.attention = read_plain_attention(json, either_key(json, "n_head", "num_attention_heads"), 8, hidden);
  layer.attention.alibi_slopes = alibi_slopes(layer.attention.heads);
  layer.feed_forward.intermediate_size = 4 * hidden;
  layer.feed_forward.activation = Activation::gelu_tanh;
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json,
               int64_t index) {
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const AttentionConfig& a = layer.attention;
  tree.open_layer(index, "BloomBlock");
  tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("self_attention", "BloomAttention");
  tree.linear("query_key_value", Role::query_key_value, hidden, 3 * hidden, true);
  blueprint.modules.back().fused = fused_grouped(a.heads, a.heads, a.head_dim);
  tree.linear("dense", Role::attention_output, hidden, hidden, true);
  tree.plain("attention_dropout", "Dropout", dropout_detail(json, "attention_dropout", "0.0"));
  tree.close();
  tree.norm("post_attention_layernorm", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "BloomMLP");
  tree.linear("dense_h_to_4h", Role::up, hidden, intermediate, true);
  tree.plain("gelu_impl", "BloomGelu");
  tree.linear("dense_4h_to_h", Role::down, intermediate, hidden, true);
  tree.close();
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  if (json.get_bool("apply_residual_connection_post_layernorm", false)) {
    json.at("apply_residual_connection_post_layernorm").fail_expected("false: residuals behind the norm are not done");
  }
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "BloomForCausalLM";
  config.hidden_size = json.get_int(either_key(json, "n_embed", "hidden_size"), 64, width_range);
  config.vocabulary = json.get_int("vocab_size", 250880, vocabulary_range);
  config.max_positions =
      json.get_int("seq_length", 2048, position_range);  // what it was trained on; nothing ends there
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int(either_key(json, "n_layer", "num_hidden_layers"), 2, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.embedding_norm = layer.norm;
  config.final_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(layers), layer);

  blueprint.base_prefix = "transformer.";
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "BloomModel");
  tree.embedding("word_embeddings", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.norm("word_embeddings_layernorm", Role::embedding_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.open("h", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(blueprint, tree, layer, json, i);
  tree.close();
  tree.norm("ln_f", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_bloom;
const Policy policy_bloom{"bloom", model_types, "BloomBlock", describe};

}  // namespace graft
