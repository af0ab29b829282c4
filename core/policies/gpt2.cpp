// GPT-2: learned positions, layer norms, Conv1D weights with query, key and value in one matrix. Source: Transformers
// models/gpt2.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gpt2", nullptr};

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.get_int("n_head", 12, head_range);
  if (hidden % attention.heads != 0) json.at("n_head").fail_expected("a divisor of 'n_embd'");
  attention.kv_heads = attention.heads;
  attention.head_dim = hidden / attention.heads;
  attention.scale = 1.0;
  if (json.get_bool("scale_attn_weights", true)) attention.scale /= std::sqrt(static_cast<double>(attention.head_dim));
  layer.feed_forward.intermediate_size = json.get_int("n_inner", 4 * hidden, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation_function", "gelu_new");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json, int64_t index,
               int64_t hidden) {
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "GPT2Block");
  tree.norm("ln_1", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("attn", "GPT2Attention");
  tree.conv1d("c_attn", Role::query_key_value, hidden, 3 * hidden);
  tree.conv1d("c_proj", Role::attention_output, hidden, hidden);
  tree.plain("attn_dropout", "Dropout", dropout_detail(json, "attn_pdrop", "0.1"));
  tree.plain("resid_dropout", "Dropout", dropout_detail(json, "resid_pdrop", "0.1"));
  tree.close();
  tree.norm("ln_2", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "GPT2MLP");
  tree.conv1d("c_fc", Role::up, hidden, intermediate);
  tree.conv1d("c_proj", Role::down, intermediate, hidden);
  tree.plain("act", read_activation_class(json, "activation_function", "gelu_new"));
  tree.plain("dropout", "Dropout", dropout_detail(json, "resid_pdrop", "0.1"));
  tree.close();
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  if (json.get_bool("add_cross_attention", false)) {
    json.at("add_cross_attention").fail_expected("false: cross-attention of GPT-2 is not supported");
  }
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "GPT2LMHeadModel";
  config.hidden_size = json.get_int("n_embd", 768, width_range);
  config.vocabulary = json.get_int("vocab_size", 50257, vocabulary_range);
  config.max_positions = json.get_int("n_positions", 1024, position_range);
  config.position_table = config.max_positions;
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("n_layer", 12, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.final_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(layers), layer);
  if (json.get_bool("scale_attn_by_inverse_layer_idx", false)) {
    for (int64_t i = 0; i < layers; ++i)
      config.layers[static_cast<size_t>(i)].attention.scale /= static_cast<double>(i + 1);
  }

  blueprint.base_prefix = "transformer.";
  // Causal masks that older versions stored as buffers.
  blueprint.skipped_tensors = {"*.attn.bias", "*.attn.masked_bias"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "GPT2Model");
  tree.embedding("wte", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.embedding("wpe", Role::position_embedding, config.position_table, config.hidden_size);
  tree.plain("drop", "Dropout", dropout_detail(json, "embd_pdrop", "0.1"));
  tree.open("h", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) {
    add_layer(tree, config.layers[static_cast<size_t>(i)], json, i, config.hidden_size);
  }
  tree.close();
  tree.norm("ln_f", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_gpt2;
const Policy policy_gpt2{"gpt2", model_types, "GPT2Block", describe};

}  // namespace graft
