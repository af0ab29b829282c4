// GPT-BigCode (SantaCoder, StarCoder): GPT-2 with plain linears and one KV head for all queries. Source: Transformers
// models/gpt_bigcode.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gpt_bigcode", nullptr};

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.get_int("n_head", 12, head_range);
  if (hidden % attention.heads != 0) json.at("n_head").fail_expected("a divisor of 'n_embd'");
  attention.kv_heads = json.get_bool("multi_query", true) ? 1 : attention.heads;
  attention.head_dim = hidden / attention.heads;
  attention.scale = 1.0;
  if (json.get_bool("scale_attn_weights", true)) attention.scale /= std::sqrt(static_cast<double>(attention.head_dim));
  layer.feed_forward.intermediate_size = json.get_int("n_inner", 4 * hidden, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation_function", "gelu_pytorch_tanh");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json,
               int64_t index) {
  const AttentionConfig& a = layer.attention;
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const std::string dropout = dropout_detail(json, "resid_pdrop", "0.1");
  tree.open_layer(index, "GPTBigCodeBlock");
  tree.norm("ln_1", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("attn", "GPTBigCodeAttention");
  tree.linear("c_attn", Role::query_key_value, hidden, (a.heads + 2 * a.kv_heads) * a.head_dim, true);
  // One KV head stands behind all queries; with as many as queries, head by head. Both are grouped.
  blueprint.modules.back().fused = fused_grouped(a.heads, a.kv_heads, a.head_dim);
  tree.linear("c_proj", Role::attention_output, hidden, hidden, true);
  tree.plain("resid_dropout", "Dropout", dropout);
  tree.close();
  tree.norm("ln_2", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "GPTBigCodeMLP");
  tree.linear("c_fc", Role::up, hidden, intermediate, true);
  tree.linear("c_proj", Role::down, intermediate, hidden, true);
  tree.plain("act", read_activation_class(json, "activation_function", "gelu_pytorch_tanh"));
  tree.plain("dropout", "Dropout", dropout);
  tree.close();
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  if (json.get_bool("add_cross_attention", false)) {
    json.at("add_cross_attention").fail_expected("false: cross-attention of GPT-BigCode is not supported");
  }
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "GPTBigCodeForCausalLM";
  config.hidden_size = json.get_int("n_embd", 768, width_range);
  config.vocabulary = json.get_int("vocab_size", 50257, vocabulary_range);
  config.max_positions = json.get_int("n_positions", 1024, position_range);
  config.position_table = config.max_positions;
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("n_layer", 12, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.layers.assign(static_cast<size_t>(layers), layer);
  config.final_norm = layer.norm;

  blueprint.base_prefix = "transformer.";
  // Causal masks that older versions stored as buffers.
  blueprint.skipped_tensors = {"transformer.bias", "*.attn.bias", "*.attn.masked_bias"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "GPTBigCodeModel");
  tree.embedding("wte", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.embedding("wpe", Role::position_embedding, config.position_table, config.hidden_size);
  tree.plain("drop", "Dropout", dropout_detail(json, "embd_pdrop", "0.1"));
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

extern const Policy policy_gpt_bigcode;
const Policy policy_gpt_bigcode{"gpt_bigcode", model_types, "GPTBigCodeBlock", describe};

}  // namespace graft
