// BERT: the base model and its classes for masked tokens, for sequences and for tokens with labels. Source:
// Transformers models/bert.
#include "core/policies/policy.h"
#include "core/policies/support/bert_like.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"bert", nullptr};

void add_masked_language_head(BlueprintBuilder& tree, const JsonObject& json, ModelConfig& config) {
  const int64_t hidden = config.hidden_size;
  config.head.dense = true;
  config.head.dense_activation = read_activation(json, "hidden_act", "gelu");
  config.head.normed = true;
  config.head.norm = *config.embedding_norm;
  tree.open("cls", "BertOnlyMLMHead");
  tree.open("predictions", "BertLMPredictionHead");
  tree.open("transform", "BertPredictionHeadTransform");
  tree.linear("dense", Role::head_dense, hidden, hidden, true);
  tree.plain("transform_act_fn", read_activation_class(json, "hidden_act", "gelu"));
  tree.norm("LayerNorm", Role::head_norm, "LayerNorm", hidden, config.head.norm);
  tree.close();
  tree.linear("decoder", Role::head, hidden, config.vocabulary, true);
  tree.also_named("bias", "cls.predictions.bias");
  tree.close();
  tree.close();
}

void add_head(BlueprintBuilder& tree, const JsonObject& json, const BertLike&, ModelConfig& config) {
  if (config.head.kind == HeadKind::language) return add_masked_language_head(tree, json, config);
  if (config.head.kind == HeadKind::sequence_labels) {  // the pooler
    config.head.dense = true;
    config.head.dense_activation = Activation::tanh;
  }
  tree.plain("dropout", "Dropout", classifier_dropout_detail(json));
  tree.linear("classifier", Role::head, config.hidden_size, static_cast<int64_t>(config.head.labels.size()), true);
}

Blueprint describe(const JsonObject& json) {
  BertLike family;
  family.names = {"Bert", "bert"};
  family.pooled_sequence_labels = true;
  family.add_head = add_head;
  return describe_bert_like(json, family);
}

}  // namespace

extern const Policy policy_bert;
const Policy policy_bert{"bert", model_types, "BertLayer", describe};

}  // namespace graft
