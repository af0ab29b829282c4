// GPT as Megatron-LM trains it, under the names of its own modules and arguments; the head is the word embedding.
// Source: Megatron-LM, model/gpt_model.py and transformer.py.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"megatron_gpt", nullptr};
constexpr const char* version_key = "checkpoint_version";

// Rows of query_key_value by the version of the checkpoint: 0 has [3, heads, head_dim], 2 and later [heads, 3,
// head_dim]. 1 interleaves the lanes, [heads, head_dim, 3], which whole heads cannot say.
FusedRows read_rows(const JsonObject& json, const AttentionConfig& a) {
  const double version = json.require_number(version_key, {0.0, 1000.0});
  if (version == 0.0) return fused_thirds(a.heads, a.heads, a.head_dim);
  if (version >= 2.0) return fused_grouped(a.heads, a.heads, a.head_dim);
  json.at(version_key).fail_expected("0, or 2 and later: lane by lane layouts of query_key_value are not done");
}

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layernorm_epsilon", 1e-5, epsilon_range), 0.0};
  layer.attention = read_plain_attention(json, "num_attention_heads", 12, hidden);
  layer.feed_forward.intermediate_size = json.get_int("ffn_hidden_size", 4 * hidden, intermediate_range);
  // The fused kernel and OpenAI's formula are the same approximation by tanh.
  const bool approximate = json.get_bool("bias_gelu_fusion", true) || json.get_bool("openai_gelu", false);
  layer.feed_forward.activation = approximate ? Activation::gelu_tanh : Activation::gelu;
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const LayerConfig& layer, const FusedRows& rows,
               int64_t index) {
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  const std::string older = fmt::format("language_model.transformer.layers.{}.attention.", index);
  const auto attention = [&](const char* name, Role role, int64_t out_features) {
    tree.linear(name, role, hidden, out_features, true);
    for (const char* parameter : {"weight", "bias"}) tree.also_named(parameter, older + name + "." + parameter);
  };
  tree.open_layer(index, "ParallelTransformerLayer");
  tree.norm("input_layernorm", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("self_attention", "ParallelAttention");
  attention("query_key_value", Role::query_key_value, 3 * hidden);
  blueprint.modules.back().fused = rows;
  attention("dense", Role::attention_output, hidden);
  tree.close();
  tree.norm("post_attention_layernorm", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "ParallelMLP");
  tree.linear("dense_h_to_4h", Role::up, hidden, intermediate, true);
  tree.linear("dense_4h_to_h", Role::down, intermediate, hidden, true);
  tree.close();
  tree.close_layer();
}

void require_plain(const JsonObject& json) {
  if (json.get_bool("apply_residual_connection_post_layernorm", false)) {
    json.at("apply_residual_connection_post_layernorm").fail_expected("false: residuals behind the norm are not done");
  }
  for (const char* key : {"swiglu", "apply_layernorm_1p", "untie_embeddings_and_output_weights"}) {
    if (json.get_bool(key, false)) json.at(key).fail_expected("false: this option of Megatron-LM is not done");
  }
  const std::string positions = json.get_string("position_embedding_type", "learned_absolute");
  if (positions != "learned_absolute") json.at("position_embedding_type").fail_expected("\"learned_absolute\"");
}

Blueprint describe(const JsonObject& json) {
  require_plain(json);
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "GPTModel";
  config.hidden_size = json.require_int("hidden_size", width_range);
  config.vocabulary = json.require_int(either_key(json, "padded_vocab_size", "vocab_size"), vocabulary_range);
  config.max_positions = json.require_int("max_position_embeddings", position_range);
  config.position_table = config.max_positions;
  config.tied_head = true;
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.require_int("num_layers", layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  const FusedRows rows = read_rows(json, layer.attention);
  config.final_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(layers), layer);

  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("language_model", "TransformerLanguageModel");
  tree.open("embedding", "Embedding");
  tree.embedding("word_embeddings", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.embedding("position_embeddings", Role::position_embedding, config.position_table, config.hidden_size);
  tree.close();
  tree.open("transformer", "ParallelTransformer");
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(blueprint, tree, layer, rows, i);
  tree.close();
  tree.norm("final_layernorm", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.close();
  tree.close();
  tree.linear("word_embeddings_for_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_megatron_gpt;
const Policy policy_megatron_gpt{"megatron_gpt", model_types, "ParallelTransformerLayer", describe};

}  // namespace graft
