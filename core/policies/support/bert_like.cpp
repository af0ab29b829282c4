#include "core/policies/support/bert_like.h"

#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

void add_embeddings(BlueprintBuilder& tree, const JsonObject& json, const BertLike& family, const ModelConfig& config) {
  const int64_t padding = read_padding(json, family.default_padding, config.vocabulary);
  const auto add_positions = [&] {
    tree.embedding("position_embeddings", Role::position_embedding, config.position_table, config.hidden_size,
                   family.positions_after_padding ? padding : -1);
  };
  tree.open("embeddings", family.names.prefix + "Embeddings");
  tree.embedding("word_embeddings", Role::token_embedding, config.vocabulary, config.hidden_size, padding);
  if (!family.positions_after_padding) add_positions();
  tree.embedding("token_type_embeddings", Role::token_type_embedding, config.token_types, config.hidden_size);
  tree.norm("LayerNorm", Role::embedding_norm, "LayerNorm", config.hidden_size, *config.embedding_norm);
  tree.plain("dropout", "Dropout", dropout_detail(json, "hidden_dropout_prob", "0.1"));
  if (family.positions_after_padding) add_positions();
  tree.close();
}

void add_layer(BlueprintBuilder& tree, const JsonObject& json, const std::string& prefix, const LayerConfig& layer,
               int64_t index, int64_t hidden) {
  const std::string dropout = dropout_detail(json, "hidden_dropout_prob", "0.1");
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, prefix + "Layer");
  tree.open("attention", prefix + "Attention");
  tree.open("self", prefix + "SelfAttention");
  tree.linear("query", Role::query, hidden, hidden, true);
  tree.linear("key", Role::key, hidden, hidden, true);
  tree.linear("value", Role::value, hidden, hidden, true);
  tree.plain("dropout", "Dropout", dropout_detail(json, "attention_probs_dropout_prob", "0.1"));
  tree.close();
  tree.open("output", prefix + "SelfOutput");
  tree.linear("dense", Role::attention_output, hidden, hidden, true);
  tree.norm("LayerNorm", Role::post_attention_norm, "LayerNorm", hidden, layer.norm);
  tree.plain("dropout", "Dropout", dropout);
  tree.close();
  tree.close();
  tree.open("intermediate", prefix + "Intermediate");
  tree.linear("dense", Role::up, hidden, intermediate, true);
  tree.plain("intermediate_act_fn", read_activation_class(json, "hidden_act", "gelu"));
  tree.close();
  tree.open("output", prefix + "Output");
  tree.linear("dense", Role::down, intermediate, hidden, true);
  tree.norm("LayerNorm", Role::post_feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.plain("dropout", "Dropout", dropout);
  tree.close();
  tree.close_layer();
}

void add_pooler(BlueprintBuilder& tree, const BertLike& family, const ModelConfig& config) {
  tree.open("pooler", family.names.prefix + "Pooler");
  if (config.head.kind == HeadKind::none) {  // of the base model nothing but hidden rows is asked for
    tree.plain("dense", "Linear", fmt::format("in_features={0}, out_features={0}, bias=True", config.hidden_size));
  } else {
    tree.linear("dense", Role::head_dense, config.hidden_size, config.hidden_size, true);
  }
  tree.plain("activation", "Tanh");
  tree.close();
}

void add_base(BlueprintBuilder& tree, const JsonObject& json, const BertLike& family, const ModelConfig& config) {
  add_embeddings(tree, json, family, config);
  tree.open("encoder", family.names.prefix + "Encoder");
  tree.open("layer", "ModuleList");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    add_layer(tree, json, family.names.prefix, config.layers[i], static_cast<int64_t>(i), config.hidden_size);
  }
  tree.close();
  tree.close();
  const bool pooled = family.pooled_sequence_labels && config.head.kind == HeadKind::sequence_labels;
  if (pooled || config.head.kind == HeadKind::none) add_pooler(tree, family, config);
}

void read_config(const JsonObject& json, const BertLike& family, ModelConfig& config) {
  require_plain_encoder(json);
  config.hidden_size = json.get_int("hidden_size", 768, width_range);
  config.vocabulary = json.require_int("vocab_size", vocabulary_range);
  config.position_table = json.get_int("max_position_embeddings", 512, position_range);
  if (family.positions_after_padding) {
    config.unplaced_token = read_padding(json, family.default_padding, config.vocabulary);
    config.position_offset = config.unplaced_token + 1;
    if (config.position_offset >= config.position_table) {
      json.at("max_position_embeddings").fail_expected("more than 'pad_token_id' + 1");
    }
  }
  config.max_positions = config.position_table - config.position_offset;
  config.token_types = json.get_int("type_vocab_size", 2, width_range);
  config.tied_head = config.head.kind == HeadKind::language && json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const double epsilon = json.get_number("layer_norm_eps", 1e-12, epsilon_range);
  const LayerConfig layer =
      read_encoder_layer(json, {"num_attention_heads", "intermediate_size", "hidden_act", epsilon}, config.hidden_size);
  config.embedding_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(json.get_int("num_hidden_layers", 12, layer_range)), layer);
}

}  // namespace

Blueprint describe_bert_like(const JsonObject& json, const BertLike& family) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  read_encoder_class(json, family.names, blueprint);
  read_config(json, family, config);
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  if (config.head.kind == HeadKind::none) {
    add_base(tree, json, family, config);
  } else {
    if (family.head_first) family.add_head(tree, json, family, config);
    tree.open(family.names.base, family.names.prefix + "Model");
    add_base(tree, json, family, config);
    tree.close();
    if (!family.head_first) family.add_head(tree, json, family, config);
  }
  tree.close();
  return blueprint;
}

}  // namespace graft
