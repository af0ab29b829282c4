// Phi 3, 3.5 and 4: Llama's layer with query, key and value in one matrix and gate and up in another, a long rope of
// two lists of factors. Source: Transformers models/phi3.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/rope_config.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"phi3", nullptr};

RopeConfig read_long_rope(const JsonObject& json, int64_t head_dim, int64_t max_positions) {
  RopeDefaults defaults;
  defaults.reads_partial_rotary = true;
  defaults.yarn_is_longrope = true;
  defaults.original_max_positions = 4096;
  RopeConfig rope = read_rope(json, head_dim, max_positions, defaults);
  if (rope.kind != RopeKind::standard && rope.kind != RopeKind::longrope) {
    json.at(json.has("rope_scaling") ? "rope_scaling" : "rope_parameters")
        .fail_expected("a rope of type \"default\" or \"longrope\"");
  }
  return rope;
}

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::rms, json.get_number("rms_norm_eps", 1e-5, epsilon_range), 0.0};
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
  attention.window = json.get_int("sliding_window", 0, position_range);  // null: no window
  layer.feed_forward.intermediate_size = json.get_int("intermediate_size", 8192, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "hidden_act", "silu");
  layer.feed_forward.gated = true;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json, int64_t index,
               int64_t hidden) {
  const AttentionConfig& a = layer.attention;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const std::string dropout = dropout_detail(json, "resid_pdrop", "0.0");
  tree.open_layer(index, "Phi3DecoderLayer");
  tree.open("self_attn", "Phi3Attention");
  tree.linear("o_proj", Role::attention_output, a.heads * a.head_dim, hidden, false);
  tree.linear("qkv_proj", Role::query_key_value, hidden, (a.heads + 2 * a.kv_heads) * a.head_dim, false);
  tree.close();
  tree.open("mlp", "Phi3MLP");
  tree.linear("gate_up_proj", Role::gate_up, hidden, 2 * intermediate, false);
  tree.linear("down_proj", Role::down, intermediate, hidden, false);
  tree.plain("activation_fn", read_activation_class(json, "hidden_act", "silu"));
  tree.close();
  tree.norm("input_layernorm", Role::input_norm, "Phi3RMSNorm", hidden, layer.norm);
  tree.norm("post_attention_layernorm", Role::feed_forward_norm, "Phi3RMSNorm", hidden, layer.norm);
  tree.plain("resid_attn_dropout", "Dropout", dropout);
  tree.plain("resid_mlp_dropout", "Dropout", dropout);
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "Phi3ForCausalLM";
  config.hidden_size = json.get_int("hidden_size", 3072, width_range);
  config.vocabulary = json.get_int("vocab_size", 32064, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 4096, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", false);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("num_hidden_layers", 32, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.ropes = {read_long_rope(json, layer.attention.head_dim, config.max_positions)};
  config.layers.assign(static_cast<size_t>(layers), layer);
  config.final_norm = layer.norm;

  blueprint.base_prefix = "model.";
  blueprint.skipped_tensors = {"*rotary_emb.inv_freq"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("model", "Phi3Model");
  tree.embedding("embed_tokens", Role::token_embedding, config.vocabulary, config.hidden_size,
                 read_padding_row(json, config.vocabulary, 32000));
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(tree, layer, json, i, config.hidden_size);
  tree.close();
  tree.norm("norm", Role::final_norm, "Phi3RMSNorm", config.hidden_size, layer.norm);
  tree.plain("rotary_emb", "Phi3RotaryEmbedding");
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_phi3;
const Policy policy_phi3{"phi3", model_types, "Phi3DecoderLayer", describe};

}  // namespace graft
