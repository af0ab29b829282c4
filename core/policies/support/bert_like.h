// The encoder that BERT made common, with the tree of its base model. RoBERTa's families share it and differ in their
// positions and heads.
#pragma once

#include "core/policies/support/encoder.h"

namespace graft {

struct BertLike {
  EncoderNames names;
  int64_t default_padding = 0;
  /// Positions start behind the padding token's, which keeps its own wherever it stands; their table is the last of the
  /// embeddings.
  bool positions_after_padding = false;
  bool pooled_sequence_labels = false;  ///< the base model's pooler is the dense part of that head
  bool head_first = false;              ///< the head stands before the base model in the tree
  /// Sets config.head and adds the modules that stand beside the base model; not called for the base model alone.
  void (*add_head)(BlueprintBuilder& tree, const JsonObject& json, const BertLike& family,
                   ModelConfig& config) = nullptr;
};

/// Reads the common keys of config.json and builds configuration and tree.
Blueprint describe_bert_like(const JsonObject& json, const BertLike& family);

}  // namespace graft
