// What encoder families share: the class that config.json names, its labels, and post-norm layers that look both ways.
#pragma once

#include <string>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft {

/// Names of an encoder family.
struct EncoderNames {
  std::string prefix;  ///< of the class names: "Bert"
  std::string base;    ///< of the base model in the classes around it: "bert"
};

/// Sets architecture, head kind, labels and prefixes by `architectures`[0]: PREFIXModel, PREFIXForMaskedLM,
/// PREFIXForSequenceClassification or PREFIXForTokenClassification. Any other class, or none, is read as the base
/// model, and what else its checkpoint holds is skipped. Throws CORRUPT_DATA for labels that are not numbered from 0.
void read_encoder_class(const JsonObject& json, const EncoderNames& names, Blueprint& blueprint);

/// Shapes and keys that make one encoder layer.
struct EncoderLayerKeys {
  const char* heads;         ///< key of the number of heads
  const char* intermediate;  ///< key of the feed-forward width
  const char* activation;
  double epsilon = 1e-12;  ///< of the norms
};

/// A post-norm layer with plain multi-head attention to every token of the sequence.
LayerConfig read_encoder_layer(const JsonObject& json, const EncoderLayerKeys& keys, int64_t hidden);

/// `is_decoder` and `add_cross_attention` must be off and positions absolute: throws naming the key otherwise.
void require_plain_encoder(const JsonObject& json);

/// `pad_token_id` inside the vocabulary.
int64_t read_padding(const JsonObject& json, int64_t fallback, int64_t vocabulary);

/// dropout_detail of `classifier_dropout`, which falls back to `hidden_dropout_prob`.
std::string classifier_dropout_detail(const JsonObject& json);

}  // namespace graft
