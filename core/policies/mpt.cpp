// MPT: ALiBi, no bias anywhere, query, key and value in one matrix. Source: Transformers
// models/mpt, which fixes what other files of the family may vary (expansion ratio, ALiBi's range): those are refused.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"mpt", nullptr};

void require_bool(const JsonObject& json, const char* key, bool wanted) {
  if (json.get_bool(key, wanted) == wanted) return;
  json.at(key).fail_expected(wanted ? "true: the rest is not supported" : "false: it is not supported");
}

void require_known_attention(const JsonObject& attention) {
  if (attention.get_string("attn_type", "multihead_attention") != "multihead_attention") {
    attention.at("attn_type").fail_expected("\"multihead_attention\"");
  }
  if (attention.get_number("clip_qkv", 0.0) != 0.0) {
    attention.at("clip_qkv").fail_expected("null: clipped queries, keys and values are not supported");
  }
  require_bool(attention, "qk_ln", false);
  require_bool(attention, "prefix_lm", false);
  require_bool(attention, "alibi", true);
  if (attention.get_int("alibi_bias_max", 8) != 8) attention.at("alibi_bias_max").fail_expected("8");
}

LayerConfig read_layer(const JsonObject& json, const JsonObject& attention_json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.get_int("n_heads", 16, head_range);
  if (hidden % attention.heads != 0) json.at("n_heads").fail_expected("a divisor of 'd_model'");
  attention.kv_heads = attention.heads;
  attention.head_dim = hidden / attention.heads;
  attention.scale = attention_json.get_number("softmax_scale", 1.0 / std::sqrt(static_cast<double>(attention.head_dim)),
                                              {1e-12, 1e12});
  attention.alibi_slopes = alibi_slopes(attention.heads);
  layer.feed_forward.intermediate_size = 4 * hidden;
  layer.feed_forward.activation = Activation::gelu;
  layer.feed_forward.gated = false;
  return layer;
}

void add_norm(BlueprintBuilder& tree, const char* name, Role role, int64_t hidden, const NormConfig& norm) {
  tree.norm(name, role, "LayerNorm", hidden, norm);
  tree.without("bias");
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const std::string& dropout, int64_t index,
               int64_t hidden) {
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "MptBlock");
  add_norm(tree, "norm_1", Role::input_norm, hidden, layer.norm);
  tree.open("attn", "MptAttention");
  tree.linear("Wqkv", Role::query_key_value, hidden, 3 * hidden, false);
  tree.linear("out_proj", Role::attention_output, hidden, hidden, false);
  tree.close();
  add_norm(tree, "norm_2", Role::feed_forward_norm, hidden, layer.norm);
  tree.open("ffn", "MptMLP");
  tree.linear("up_proj", Role::up, hidden, intermediate, false);
  tree.plain("act", "GELU", "approximate='none'");
  tree.linear("down_proj", Role::down, intermediate, hidden, false);
  tree.close();
  tree.plain("resid_attn_dropout", "Dropout", dropout);
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  const JsonObject attention = json.get_object("attn_config");
  require_known_attention(attention);
  require_bool(json, "no_bias", true);
  if (json.get_int("expansion_ratio", 4) != 4) json.at("expansion_ratio").fail_expected("4");
  if (!json.at("logit_scale").absent()) json.at("logit_scale").fail_expected("null: scaled logits are not supported");
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "MptForCausalLM";
  config.hidden_size = json.get_int("d_model", 2048, width_range);
  config.vocabulary = json.get_int("vocab_size", 50368, vocabulary_range);
  config.max_positions = json.get_int("max_seq_len", 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("n_layers", 24, layer_range);
  const LayerConfig layer = read_layer(json, attention, config.hidden_size);
  config.layers.assign(static_cast<size_t>(layers), layer);
  config.final_norm = layer.norm;

  blueprint.base_prefix = "transformer.";
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "MptModel");
  tree.embedding("wte", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.open("blocks", "ModuleList");
  const std::string dropout = dropout_detail(attention, "attn_pdrop", "0");
  for (int64_t i = 0; i < layers; ++i) add_layer(tree, layer, dropout, i, config.hidden_size);
  tree.close();
  add_norm(tree, "norm_f", Role::final_norm, config.hidden_size, layer.norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_mpt;
const Policy policy_mpt{"mpt", model_types, "MptBlock", describe};

}  // namespace graft
