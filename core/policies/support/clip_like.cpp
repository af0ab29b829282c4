#include "core/policies/support/clip_like.h"

#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

LayerConfig read_layer(const JsonObject& json, const ClipDefaults& defaults, int64_t hidden, bool causal) {
  LayerConfig layer;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_eps", 1e-5, epsilon_range), 0.0};
  layer.attention = read_plain_attention(json, "num_attention_heads", defaults.heads, hidden);
  layer.attention.causal = causal;
  layer.feed_forward.intermediate_size = json.get_int("intermediate_size", defaults.intermediate, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "hidden_act", "quick_gelu");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(BlueprintBuilder& tree, const JsonObject& json, const LayerConfig& layer, int64_t index,
               int64_t hidden) {
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "CLIPEncoderLayer");
  tree.open("self_attn", "CLIPAttention");
  tree.linear("k_proj", Role::key, hidden, hidden, true);
  tree.linear("v_proj", Role::value, hidden, hidden, true);
  tree.linear("q_proj", Role::query, hidden, hidden, true);
  tree.linear("out_proj", Role::attention_output, hidden, hidden, true);
  tree.close();
  tree.norm("layer_norm1", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "CLIPMLP");
  tree.plain("activation_fn", read_activation_class(json, "hidden_act", "quick_gelu"));
  tree.linear("fc1", Role::up, hidden, intermediate, true);
  tree.linear("fc2", Role::down, intermediate, hidden, true);
  tree.close();
  tree.norm("layer_norm2", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.close_layer();
}

}  // namespace

void read_clip_half(const JsonObject& json, std::string_view class_name, std::string_view wrapped_prefix,
                    const ClipDefaults& defaults, bool causal, Blueprint& blueprint) {
  ModelConfig& config = blueprint.config;
  const JsonArray architectures = json.get_array("architectures");
  if (architectures.size() > 0 && architectures.at(0).as_string() != class_name) {
    fail(StatusCode::unsupported, "{}: 'architectures' is {}, expected [\"{}\"]", json.source(), architectures.text(),
         class_name);
  }
  config.architecture = class_name;
  config.encoder = true;
  config.head.kind = HeadKind::none;
  config.hidden_size = json.get_int("hidden_size", defaults.hidden, width_range);
  config.stored_dtype = read_stored_dtype(json);
  const LayerConfig layer = read_layer(json, defaults, config.hidden_size, causal);
  config.layers.assign(static_cast<size_t>(json.get_int("num_hidden_layers", 12, layer_range)), layer);
  // Before Transformers 5 the half's own checkpoint had the whole model's names, and a buffer of positions.
  blueprint.wrapped_prefix = wrapped_prefix;
  blueprint.skipped_tensors = {"*embeddings.position_ids"};
}

void add_clip_encoder(BlueprintBuilder& tree, const JsonObject& json, const ModelConfig& config) {
  tree.open("encoder", "CLIPEncoder");
  tree.open("layers", "ModuleList");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    add_layer(tree, json, config.layers[i], static_cast<int64_t>(i), config.hidden_size);
  }
  tree.close();
  tree.close();
}

}  // namespace graft
