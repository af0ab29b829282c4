// Falcon: 7B (one KV head, attention and feed-forward side by side), the new decoder of 40B, 180B and 11B (KV groups,
// one or two norms) and the RefinedWeb models (ALiBi, one after the other). Source: Transformers models/falcon.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"
#include "core/policies/support/rope_config.h"
#include "kernels/spec/convert.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"falcon", nullptr};

/// What the switches of config.json add up to.
struct Variant {
  bool grouped = false;   ///< new_decoder_architecture
  bool parallel = false;  ///< attention and feed-forward block side by side
  bool two_norms = false;
  bool bias = false;
};

Variant read_variant(const JsonObject& json) {
  Variant variant;
  variant.grouped = json.get_bool("new_decoder_architecture", false);
  variant.parallel = json.get_bool("parallel_attn", true);
  variant.bias = json.get_bool("bias", false);
  const int64_t norms = json.get_int("num_ln_in_parallel_attn", variant.grouped ? 2 : 1, {1, 2});
  variant.two_norms = norms == 2;
  if (variant.grouped && !variant.parallel) {
    json.at("parallel_attn").fail_expected("true, since 'new_decoder_architecture' is on");
  }
  if (!variant.grouped && variant.two_norms && variant.parallel) {
    json.at("num_ln_in_parallel_attn").fail_expected("1, since 'new_decoder_architecture' is off");
  }
  return variant;
}

float as_bfloat16(float value) { return kernels::bfloat16_to_float(kernels::float_to_bfloat16(value)); }

// Transformers keeps the slopes, and their products with positions, as bfloat16 numbers in every type of the model.
std::vector<float> rounded_alibi_slopes(int64_t heads) {
  std::vector<float> slopes = alibi_slopes(heads);
  for (float& slope : slopes) slope = as_bfloat16(slope);
  return slopes;
}

int64_t read_kv_heads(const JsonObject& json, const Variant& variant, int64_t heads) {
  if (!variant.grouped && json.get_bool("multi_query", true)) return 1;
  const int64_t kv_heads = json.get_int("num_kv_heads", heads, head_range);
  if (variant.grouped && heads % kv_heads != 0) {
    json.at("num_kv_heads").fail_expected("a divisor of 'num_attention_heads'");
  }
  if (!variant.grouped && kv_heads != heads) {
    json.at("num_kv_heads").fail_expected("'num_attention_heads', since 'multi_query' is off");
  }
  return kv_heads;
}

LayerConfig read_layer(const JsonObject& json, const Variant& variant, int64_t hidden) {
  LayerConfig layer;
  layer.residual = variant.parallel ? ResidualForm::parallel : ResidualForm::pre_norm;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.get_int("num_attention_heads", 71, head_range);
  if (hidden % attention.heads != 0) json.at("num_attention_heads").fail_expected("a divisor of 'hidden_size'");
  attention.kv_heads = read_kv_heads(json, variant, attention.heads);
  attention.head_dim = hidden / attention.heads;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  if (json.get_bool("alibi", false)) {
    attention.alibi_slopes = rounded_alibi_slopes(attention.heads);
    attention.rounded_alibi = attention.scale;
  } else {
    attention.rope = 0;
  }
  layer.feed_forward.intermediate_size = json.get_int("ffn_hidden_size", 4 * hidden, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation", "gelu");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const LayerConfig& layer, const Variant& variant,
               const JsonObject& json, int64_t index) {
  const AttentionConfig& a = layer.attention;
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const auto linear = [&](const char* name, Role role, int64_t in_features, int64_t out_features) {
    tree.linear(name, role, in_features, out_features, variant.bias);
    tree.printed_as("FalconLinear");
  };
  tree.open_layer(index, "FalconDecoderLayer");
  tree.open("self_attention", "FalconAttention");
  linear("query_key_value", Role::query_key_value, hidden, (a.heads + 2 * a.kv_heads) * a.head_dim);
  blueprint.modules.back().fused = fused_grouped(a.heads, a.kv_heads, a.head_dim);
  linear("dense", Role::attention_output, hidden, hidden);
  tree.plain("attention_dropout", "Dropout", dropout_detail(json, "attention_dropout", "0.0"));
  tree.close();
  tree.open("mlp", "FalconMLP");
  linear("dense_h_to_4h", Role::up, hidden, intermediate);
  tree.plain("act", read_activation_class(json, "activation", "gelu"));
  linear("dense_4h_to_h", Role::down, intermediate, hidden);
  tree.close();
  if (!variant.parallel) {
    tree.norm("post_attention_layernorm", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
    tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  } else if (variant.two_norms) {
    tree.norm("ln_attn", Role::input_norm, "LayerNorm", hidden, layer.norm);
    tree.norm("ln_mlp", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  } else {
    tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  }
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "FalconForCausalLM";
  config.hidden_size = json.get_int("n_embed", json.get_int("hidden_size", 4544, width_range), width_range);
  config.vocabulary = json.get_int("vocab_size", 65024, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("num_hidden_layers", 32, layer_range);
  const Variant variant = read_variant(json);
  const LayerConfig layer = read_layer(json, variant, config.hidden_size);
  if (layer.attention.rope == 0) config.ropes = {read_rope(json, layer.attention.head_dim, config.max_positions, {})};
  config.layers.assign(static_cast<size_t>(layers), layer);
  config.final_norm = layer.norm;

  blueprint.base_prefix = "transformer.";
  blueprint.skipped_tensors = {"*rotary_emb.inv_freq"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "FalconModel");
  tree.embedding("word_embeddings", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.open("h", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(blueprint, tree, layer, variant, json, i);
  tree.close();
  tree.norm("ln_f", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.plain("rotary_emb", "FalconRotaryEmbedding");
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_falcon;
const Policy policy_falcon{"falcon", model_types, "FalconDecoderLayer", describe};

}  // namespace graft
