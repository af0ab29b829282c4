#include "core/policies/support/encoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr int64_t default_labels = 2;  // of Transformers

// `id2label` in the order of the ids; without it the names that Transformers makes up.
std::vector<std::string> read_labels(const JsonObject& json) {
  std::vector<std::string> labels;
  const JsonObject names = json.get_object("id2label");
  if (names.absent()) {
    const int64_t count = json.get_int("num_labels", default_labels, width_range);
    for (int64_t i = 0; i < count; ++i) labels.push_back(fmt::format("LABEL_{}", i));
    return labels;
  }
  if (names.size() == 0) names.fail_expected("at least one label");
  for (int64_t i = 0; i < names.size(); ++i) labels.push_back(names.require_string(std::to_string(i)));
  return labels;
}

}  // namespace

void read_encoder_class(const JsonObject& json, const EncoderNames& names, Blueprint& blueprint) {
  ModelConfig& config = blueprint.config;
  config.encoder = true;
  const JsonArray architectures = json.get_array("architectures");
  const std::string named = architectures.size() > 0 ? architectures.at(0).as_string() : "";
  config.architecture = named;
  if (named == names.prefix + "ForMaskedLM") {
    config.head.kind = HeadKind::language;
  } else if (named == names.prefix + "ForSequenceClassification") {
    config.head.kind = HeadKind::sequence_labels;
  } else if (named == names.prefix + "ForTokenClassification") {
    config.head.kind = HeadKind::token_labels;
  } else {
    config.head.kind = HeadKind::none;
    config.architecture = names.prefix + "Model";
  }
  // Buffers that older versions stored; a pooler that no head of this class reads; heads of pre-training.
  blueprint.skipped_tensors = {"*embeddings.position_ids", "*embeddings.token_type_ids", "*pooler.*",
                               "cls.seq_relationship.*"};
  if (config.head.kind == HeadKind::none) {
    blueprint.wrapped_prefix = names.base + ".";
    const char* heads[] = {"cls.*", "lm_head.*", "classifier.*", "pre_classifier.*", "vocab_*", "qa_outputs.*"};
    blueprint.skipped_tensors.insert(blueprint.skipped_tensors.end(), std::begin(heads), std::end(heads));
    // A class of which only the base model is known may hold anything beside it.
    if (named != config.architecture && !named.empty()) blueprint.skipped_tensors.emplace_back("*");
  } else {
    blueprint.base_prefix = names.base + ".";
  }
  if (config.head.kind == HeadKind::sequence_labels || config.head.kind == HeadKind::token_labels) {
    config.head.labels = read_labels(json);
    config.head.multi_label = json.get_string("problem_type", "") == "multi_label_classification";
  }
}

LayerConfig read_encoder_layer(const JsonObject& json, const EncoderLayerKeys& keys, int64_t hidden) {
  LayerConfig layer;
  layer.residual = ResidualForm::post_norm;
  layer.norm = {NormKind::layer, keys.epsilon, 0.0};
  AttentionConfig& attention = layer.attention;
  attention.causal = false;
  attention.heads = json.get_int(keys.heads, 12, head_range);
  if (hidden % attention.heads != 0) json.at(keys.heads).fail_expected("a divisor of the hidden size");
  attention.kv_heads = attention.heads;
  attention.head_dim = hidden / attention.heads;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  layer.feed_forward.intermediate_size = json.get_int(keys.intermediate, 3072, intermediate_range);
  layer.feed_forward.activation = read_activation(json, keys.activation, "gelu");
  layer.feed_forward.gated = false;
  return layer;
}

void require_plain_encoder(const JsonObject& json) {
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (json.get_bool(key, false)) json.at(key).fail_expected("false: only encoders of this family are supported");
  }
  if (json.get_string("position_embedding_type", "absolute") != "absolute") {
    json.at("position_embedding_type").fail_expected("\"absolute\"");
  }
}

int64_t read_padding(const JsonObject& json, int64_t fallback, int64_t vocabulary) {
  return json.get_int("pad_token_id", std::min(fallback, vocabulary - 1), {0, vocabulary - 1});
}

std::string classifier_dropout_detail(const JsonObject& json) {
  return dropout_detail(json, json.has("classifier_dropout") ? "classifier_dropout" : "hidden_dropout_prob", "0.1");
}

}  // namespace graft
