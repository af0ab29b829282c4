// GPT-NeoX and Pythia: query, key and value of each head in one matrix, the first lanes of a head rotated, attention
// and feed-forward block side by side with a norm each unless `use_parallel_residual` is off. Source: Transformers
// models/gpt_neox.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"
#include "core/policies/support/rope_config.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gpt_neox", nullptr};

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  const bool parallel = json.get_bool("use_parallel_residual", true);
  layer.residual = parallel ? ResidualForm::parallel : ResidualForm::pre_norm;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_eps", 1e-5, epsilon_range), 0.0};
  layer.attention = read_plain_attention(json, "num_attention_heads", 64, hidden);
  layer.attention.rope = 0;
  layer.feed_forward.intermediate_size = json.get_int("intermediate_size", 24576, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "hidden_act", "gelu");
  layer.feed_forward.gated = false;
  return layer;
}

// Transformers knows these keys inside of the rope dictionary alone; older files repeat `own` under them.
void require_repeated(const JsonObject& json, std::string_view general, std::string_view own, double value) {
  for (const char* parameters : {"rope_scaling", "rope_parameters"}) {
    if (json.get_object(parameters).has(general)) return;
  }
  if (json.get_number(general, value) != value) json.at(general).fail_expected(fmt::format("what '{}' says", own));
}

RopeConfig read_rotary(const JsonObject& json, int64_t head_dim, int64_t max_positions) {
  RopeDefaults defaults;
  defaults.theta = json.get_number("rotary_emb_base", 10000.0, {1e-30, 1e30});
  defaults.reads_partial_rotary = true;
  defaults.partial_rotary_factor = json.get_number("rotary_pct", 0.25, {1e-6, 1.0});
  require_repeated(json, "rope_theta", "rotary_emb_base", defaults.theta);
  require_repeated(json, "partial_rotary_factor", "rotary_pct", defaults.partial_rotary_factor);
  return read_rope(json, head_dim, max_positions, defaults);
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json,
               int64_t index) {
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const AttentionConfig& a = layer.attention;
  const bool bias = json.get_bool("attention_bias", true);
  tree.open_layer(index, "GPTNeoXLayer");
  tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.norm("post_attention_layernorm", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.plain("post_attention_dropout", "Dropout", dropout_detail(json, "hidden_dropout", "0.0"));
  tree.plain("post_mlp_dropout", "Dropout", dropout_detail(json, "hidden_dropout", "0.0"));
  tree.open("attention", "GPTNeoXAttention");
  tree.linear("query_key_value", Role::query_key_value, hidden, 3 * hidden, bias);
  blueprint.modules.back().fused = fused_grouped(a.heads, a.heads, a.head_dim);
  tree.linear("dense", Role::attention_output, hidden, hidden, bias);
  tree.close();
  tree.open("mlp", "GPTNeoXMLP");
  tree.linear("dense_h_to_4h", Role::up, hidden, intermediate, true);
  tree.linear("dense_4h_to_h", Role::down, intermediate, hidden, true);
  tree.plain("act", read_activation_class(json, "hidden_act", "gelu"));
  tree.close();
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "GPTNeoXForCausalLM";
  config.hidden_size = json.get_int("hidden_size", 6144, width_range);
  config.vocabulary = json.get_int("vocab_size", 50432, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", false);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int("num_hidden_layers", 44, layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.final_norm = layer.norm;
  config.ropes = {read_rotary(json, layer.attention.head_dim, config.max_positions)};
  config.layers.assign(static_cast<size_t>(layers), layer);

  blueprint.base_prefix = "gpt_neox.";
  // Causal masks and frequencies that older versions stored as buffers.
  blueprint.skipped_tensors = {"*.attention.bias", "*.attention.masked_bias", "*rotary_emb.inv_freq"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("gpt_neox", "GPTNeoXModel");
  tree.embedding("embed_in", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.plain("emb_dropout", "Dropout", dropout_detail(json, "hidden_dropout", "0.0"));
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(blueprint, tree, layer, json, i);
  tree.close();
  tree.norm("final_layer_norm", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.plain("rotary_emb", "GPTNeoXRotaryEmbedding");
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.also_named("weight", "embed_out.weight");  // its name before Transformers 5
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_gpt_neox;
const Policy policy_gpt_neox{"gpt_neox", model_types, "GPTNeoXLayer", describe};

}  // namespace graft
