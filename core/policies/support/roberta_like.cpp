#include "core/policies/support/roberta_like.h"

namespace graft {
namespace {

void add_masked_language_head(BlueprintBuilder& tree, const BertLike& family, ModelConfig& config) {
  const int64_t hidden = config.hidden_size;
  config.head.dense = true;
  config.head.dense_activation = Activation::gelu;  // whatever `hidden_act` says
  config.head.normed = true;
  config.head.norm = *config.embedding_norm;
  tree.open("lm_head", family.names.prefix + "LMHead");
  tree.linear("dense", Role::head_dense, hidden, hidden, true);
  tree.norm("layer_norm", Role::head_norm, "LayerNorm", hidden, config.head.norm);
  tree.linear("decoder", Role::head, hidden, config.vocabulary, true);
  tree.also_named("bias", "lm_head.bias");
  tree.close();
}

void add_head(BlueprintBuilder& tree, const JsonObject& json, const BertLike& family, ModelConfig& config) {
  const int64_t hidden = config.hidden_size;
  const auto labels = static_cast<int64_t>(config.head.labels.size());
  if (config.head.kind == HeadKind::language) {
    add_masked_language_head(tree, family, config);
  } else if (config.head.kind == HeadKind::sequence_labels) {
    config.head.dense = true;
    config.head.dense_activation = Activation::tanh;
    tree.open("classifier", family.names.prefix + "ClassificationHead");
    tree.linear("dense", Role::head_dense, hidden, hidden, true);
    tree.plain("dropout", "Dropout", classifier_dropout_detail(json));
    tree.linear("out_proj", Role::head, hidden, labels, true);
    tree.close();
  } else {
    tree.plain("dropout", "Dropout", classifier_dropout_detail(json));
    tree.linear("classifier", Role::head, hidden, labels, true);
  }
}

}  // namespace

Blueprint describe_roberta_like(const JsonObject& json, const char* prefix, bool head_first) {
  BertLike family;
  family.names = {prefix, "roberta"};
  family.default_padding = 1;
  family.positions_after_padding = true;
  family.head_first = head_first;
  family.add_head = add_head;
  return describe_bert_like(json, family);
}

}  // namespace graft
