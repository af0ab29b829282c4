// DistilBERT: BERT without token types and pooler, under names of its own. Source: Transformers models/distilbert.
#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/encoder.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"distilbert", nullptr};
constexpr double epsilon = 1e-12;  // not a key of config.json

void add_layer(BlueprintBuilder& tree, const JsonObject& json, const LayerConfig& layer, int64_t index,
               int64_t hidden) {
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "TransformerBlock");
  tree.open("attention", "DistilBertSelfAttention");
  tree.linear("q_lin", Role::query, hidden, hidden, true);
  tree.linear("k_lin", Role::key, hidden, hidden, true);
  tree.linear("v_lin", Role::value, hidden, hidden, true);
  tree.linear("out_lin", Role::attention_output, hidden, hidden, true);
  tree.plain("dropout", "Dropout", dropout_detail(json, "attention_dropout", "0.1"));
  tree.close();
  tree.norm("sa_layer_norm", Role::post_attention_norm, "LayerNorm", hidden, layer.norm);
  tree.open("ffn", "FFN");
  tree.plain("dropout", "Dropout", dropout_detail(json, "dropout", "0.1"));
  tree.linear("lin1", Role::up, hidden, intermediate, true);
  tree.linear("lin2", Role::down, intermediate, hidden, true);
  tree.plain("activation", read_activation_class(json, "activation", "gelu"));
  tree.close();
  tree.norm("output_layer_norm", Role::post_feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.close_layer();
}

void add_base(BlueprintBuilder& tree, const JsonObject& json, const ModelConfig& config) {
  const int64_t hidden = config.hidden_size;
  tree.open("embeddings", "Embeddings");
  tree.embedding("word_embeddings", Role::token_embedding, config.vocabulary, hidden,
                 read_padding(json, 0, config.vocabulary));
  tree.embedding("position_embeddings", Role::position_embedding, config.position_table, hidden);
  tree.norm("LayerNorm", Role::embedding_norm, "LayerNorm", hidden, *config.embedding_norm);
  tree.plain("dropout", "Dropout", dropout_detail(json, "dropout", "0.1"));
  tree.close();
  tree.open("transformer", "Transformer");
  tree.open("layer", "ModuleList");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    add_layer(tree, json, config.layers[i], static_cast<int64_t>(i), hidden);
  }
  tree.close();
  tree.close();
}

void add_head(BlueprintBuilder& tree, const JsonObject& json, ModelConfig& config) {
  HeadConfig& head = config.head;
  const int64_t hidden = config.hidden_size;
  const auto labels = static_cast<int64_t>(head.labels.size());
  if (head.kind == HeadKind::language) {
    head.dense = head.normed = true;
    head.dense_activation = read_activation(json, "activation", "gelu");
    head.norm = *config.embedding_norm;
    tree.linear("vocab_transform", Role::head_dense, hidden, hidden, true);
    tree.norm("vocab_layer_norm", Role::head_norm, "LayerNorm", hidden, head.norm);
    tree.linear("vocab_projector", Role::head, hidden, config.vocabulary, true);
    tree.plain("mlm_loss_fct", "CrossEntropyLoss");
  } else if (head.kind == HeadKind::sequence_labels) {
    head.dense = true;
    head.dense_activation = Activation::relu;
    tree.linear("pre_classifier", Role::head_dense, hidden, hidden, true);
    tree.linear("classifier", Role::head, hidden, labels, true);
    tree.plain("dropout", "Dropout", dropout_detail(json, "seq_classif_dropout", "0.2"));
  } else {
    tree.plain("dropout", "Dropout", dropout_detail(json, "dropout", "0.1"));
    tree.linear("classifier", Role::head, hidden, labels, true);
  }
}

void read_config(const JsonObject& json, ModelConfig& config) {
  require_plain_encoder(json);
  config.hidden_size = json.get_int("dim", 768, width_range);
  config.vocabulary = json.require_int("vocab_size", vocabulary_range);
  config.position_table = json.get_int("max_position_embeddings", 512, position_range);
  config.max_positions = config.position_table;
  config.tied_head = config.head.kind == HeadKind::language && json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  const LayerConfig layer =
      read_encoder_layer(json, {"n_heads", "hidden_dim", "activation", epsilon}, config.hidden_size);
  config.embedding_norm = layer.norm;
  config.layers.assign(static_cast<size_t>(json.get_int("n_layers", 6, layer_range)), layer);
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  read_encoder_class(json, {"DistilBert", "distilbert"}, blueprint);
  read_config(json, config);
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  if (config.head.kind == HeadKind::none) {
    add_base(tree, json, config);
  } else {
    if (config.head.kind == HeadKind::language) {
      tree.plain("activation", read_activation_class(json, "activation", "gelu"));
    }
    tree.open("distilbert", "DistilBertModel");
    add_base(tree, json, config);
    tree.close();
    add_head(tree, json, config);
  }
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_distilbert;
const Policy policy_distilbert{"distilbert", model_types, "TransformerBlock", describe};

}  // namespace graft
