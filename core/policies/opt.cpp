// OPT: learned positions behind two unused rows, norms before or behind the blocks (350M), a token embedding of another
// width that is projected (350M). Source: Transformers models/opt.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"opt", nullptr};
constexpr int64_t position_offset = 2;  // not a key of config.json
constexpr double epsilon = 1e-5;        // nor this

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  const bool before = json.get_bool("do_layer_norm_before", true);
  layer.residual = before ? ResidualForm::pre_norm : ResidualForm::post_norm;
  layer.norm = {NormKind::layer, epsilon, 0.0};
  layer.attention = read_plain_attention(json, "num_attention_heads", 12, hidden);
  layer.feed_forward.intermediate_size = json.get_int("ffn_dim", 3072, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation_function", "relu");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json, int64_t index,
               int64_t hidden) {
  const bool bias = json.get_bool("enable_bias", true);
  const bool before = layer.residual == ResidualForm::pre_norm;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "OPTDecoderLayer");
  tree.open("self_attn", "OPTAttention");
  tree.linear("k_proj", Role::key, hidden, hidden, bias);
  tree.linear("v_proj", Role::value, hidden, hidden, bias);
  tree.linear("q_proj", Role::query, hidden, hidden, bias);
  tree.linear("out_proj", Role::attention_output, hidden, hidden, bias);
  tree.close();
  tree.plain("activation_fn", read_activation_class(json, "activation_function", "relu"));
  tree.norm("self_attn_layer_norm", before ? Role::input_norm : Role::post_attention_norm, "LayerNorm", hidden,
            layer.norm);
  tree.linear("fc1", Role::up, hidden, intermediate, bias);
  tree.linear("fc2", Role::down, intermediate, hidden, bias);
  tree.norm("final_layer_norm", before ? Role::feed_forward_norm : Role::post_feed_forward_norm, "LayerNorm", hidden,
            layer.norm);
  tree.close_layer();
}

void read_config(const JsonObject& json, ModelConfig& config) {
  if (!json.get_bool("layer_norm_elementwise_affine", true)) {
    json.at("layer_norm_elementwise_affine").fail_expected("true: norms without weights are not done");
  }
  config.architecture = "OPTForCausalLM";
  config.hidden_size = json.get_int("hidden_size", 768, width_range);
  config.vocabulary = json.get_int("vocab_size", 50272, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.position_offset = position_offset;
  config.position_table = config.max_positions + position_offset;
  const int64_t width = json.get_int("word_embed_proj_dim", config.hidden_size, width_range);
  if (width != config.hidden_size) config.embedding_width = width;
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  // Checkpoints from before Transformers 4.20.1 were trained without it, and say so.
  const bool final_norm = !json.get_bool("_remove_final_layer_norm", false);
  if (layer.residual == ResidualForm::pre_norm && final_norm) config.final_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(json.get_int("num_hidden_layers", 12, layer_range)), layer);
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  read_config(json, config);
  const int64_t hidden = config.hidden_size, width = config.hidden_width();
  // The row that prints as padding_idx; from the end when negative, as torch counts.
  const int64_t padding = json.get_int("pad_token_id", 1, {-config.vocabulary, config.vocabulary - 1});

  blueprint.base_prefix = "model.";
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("model", "OPTModel");
  tree.open("decoder", "OPTDecoder");
  tree.embedding("embed_tokens", Role::token_embedding, config.vocabulary, width,
                 padding < 0 ? padding + config.vocabulary : padding);
  tree.embedding("embed_positions", Role::position_embedding, config.position_table, hidden);
  blueprint.modules.back().class_name = "OPTLearnedPositionalEmbedding";
  if (width != hidden) {
    tree.linear("project_out", Role::project_out, hidden, width, false);
    tree.linear("project_in", Role::project_in, width, hidden, false);
  }
  if (config.final_norm) tree.norm("final_layer_norm", Role::final_norm, "LayerNorm", hidden, *config.final_norm);
  tree.open("layers", "ModuleList");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    add_layer(tree, config.layers[i], json, static_cast<int64_t>(i), hidden);
  }
  tree.close();
  tree.close();
  tree.close();
  tree.linear("lm_head", Role::head, width, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_opt;
const Policy policy_opt{"opt", model_types, "OPTDecoderLayer", describe};

}  // namespace graft
