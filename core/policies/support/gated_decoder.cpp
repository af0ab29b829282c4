#include "core/policies/support/gated_decoder.h"

#include <cmath>

#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

LayerConfig read_layer(const JsonObject& config, const GatedDecoder& family, int64_t hidden) {
  LayerConfig layer;
  layer.norm = family.norm;
  layer.norm.epsilon = config.get_number("rms_norm_eps", family.norm.epsilon, epsilon_range);
  AttentionConfig& attention = layer.attention;
  attention.heads = config.require_int("num_attention_heads", head_range);
  attention.kv_heads = config.get_int(
      "num_key_value_heads", family.default_kv_heads > 0 ? family.default_kv_heads : attention.heads, head_range);
  if (attention.heads % attention.kv_heads != 0) {
    config.at("num_key_value_heads").fail_expected("a divisor of 'num_attention_heads'");
  }
  const int64_t head_dim = family.default_head_dim > 0 ? family.default_head_dim : hidden / attention.heads;
  attention.head_dim = config.get_int("head_dim", head_dim, width_range);
  if (attention.head_dim < 1) config.at("num_attention_heads").fail_expected("at most 'hidden_size'");
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  attention.rope = 0;
  attention.query_key_norm = family.query_key_norm;
  layer.feed_forward.intermediate_size = config.require_int("intermediate_size", intermediate_range);
  layer.feed_forward.activation =
      family.activation ? *family.activation : read_activation(config, "hidden_act", family.default_activation);
  layer.feed_forward.gated = true;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const GatedDecoder& family, int64_t index,
               int64_t hidden, const std::string& activation_class) {
  const AttentionConfig& a = layer.attention;
  const int64_t query_width = a.heads * a.head_dim;
  const int64_t kv_width = a.kv_heads * a.head_dim;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const std::string norm_class = family.prefix + "RMSNorm";
  tree.open_layer(index, family.prefix + "DecoderLayer");
  tree.open("self_attn", family.prefix + "Attention");
  tree.linear("q_proj", Role::query, hidden, query_width, family.query_key_value_bias);
  tree.linear("k_proj", Role::key, hidden, kv_width, family.query_key_value_bias);
  tree.linear("v_proj", Role::value, hidden, kv_width, family.query_key_value_bias);
  tree.linear("o_proj", Role::attention_output, query_width, hidden, family.output_bias);
  if (a.query_key_norm) {
    tree.norm("q_norm", Role::query_norm, norm_class, a.head_dim, layer.norm);
    tree.norm("k_norm", Role::key_norm, norm_class, a.head_dim, layer.norm);
  }
  tree.close();
  tree.open("mlp", family.prefix + "MLP");
  tree.linear("gate_proj", Role::gate, hidden, intermediate, family.feed_forward_bias);
  tree.linear("up_proj", Role::up, hidden, intermediate, family.feed_forward_bias);
  tree.linear("down_proj", Role::down, intermediate, hidden, family.feed_forward_bias);
  tree.plain("act_fn", activation_class);
  tree.close();
  tree.norm("input_layernorm", Role::input_norm, norm_class, hidden, layer.norm);
  tree.norm("post_attention_layernorm", Role::feed_forward_norm, norm_class, hidden, layer.norm);
  tree.close_layer();
}

}  // namespace

Blueprint describe_gated_decoder(const JsonObject& json, const GatedDecoder& family) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = family.prefix + "ForCausalLM";
  config.hidden_size = json.require_int("hidden_size", width_range);
  config.vocabulary = json.require_int("vocab_size", vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", family.tied_by_default);
  config.embedding_scale = family.embedding_scale;
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.require_int("num_hidden_layers", layer_range);
  const LayerConfig layer = read_layer(json, family, config.hidden_size);
  config.final_norm = layer.norm;
  config.ropes = {read_rope(json, layer.attention.head_dim, config.max_positions, family.rope)};
  config.layers.assign(static_cast<size_t>(layers), layer);
  for (size_t i = 0; i < family.windows.size(); ++i) config.layers[i].attention.window = family.windows[i];

  blueprint.base_prefix = "model.";
  blueprint.skipped_tensors = {"*rotary_emb.inv_freq"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("model", family.prefix + "Model");
  tree.embedding("embed_tokens", Role::token_embedding, config.vocabulary, config.hidden_size,
                 read_padding_row(json, config.vocabulary, family.default_padding));
  tree.printed_as(family.embedding_class);
  tree.open("layers", "ModuleList");
  const std::string activation_class = family.activation
                                           ? family.activation_class
                                           : read_activation_class(json, "hidden_act", family.default_activation);
  for (int64_t i = 0; i < layers; ++i) {
    add_layer(tree, config.layers[static_cast<size_t>(i)], family, i, config.hidden_size, activation_class);
  }
  tree.close();
  tree.norm("norm", Role::final_norm, family.prefix + "RMSNorm", config.hidden_size, layer.norm);
  tree.plain("rotary_emb", family.prefix + "RotaryEmbedding");
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace graft
