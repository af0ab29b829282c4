// Llama 1 to 3 as Meta publishes it: params.json and tensors under Meta's names, with neighbouring lanes rotated.
// Source: meta-llama/llama, model.py.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"llama_meta", nullptr};

// Two thirds of 4 * dim, times `ffn_dim_multiplier`, up to a multiple of `multiple_of`.
int64_t read_intermediate(const JsonObject& json, int64_t hidden) {
  int64_t width = 8 * hidden / 3;
  if (json.has("ffn_dim_multiplier")) {
    width = static_cast<int64_t>(json.require_number("ffn_dim_multiplier", {0.01, 100.0}) * static_cast<double>(width));
  }
  const int64_t multiple = json.get_int("multiple_of", 256, intermediate_range);
  width = (width + multiple - 1) / multiple * multiple;
  if (width < intermediate_range.low || width > intermediate_range.high) {
    json.fail_expected(fmt::format("values that give a feed-forward width up to {}", intermediate_range.high));
  }
  return width;
}

LayerConfig read_layer(const JsonObject& json, int64_t hidden) {
  LayerConfig layer;
  layer.norm = {NormKind::rms, json.get_number("norm_eps", 1e-5, epsilon_range), 0.0};
  AttentionConfig& attention = layer.attention;
  attention.heads = json.require_int("n_heads", head_range);
  if (hidden % attention.heads != 0) json.at("n_heads").fail_expected("a divisor of 'dim'");
  attention.kv_heads = json.get_int("n_kv_heads", attention.heads, head_range);
  if (attention.heads % attention.kv_heads != 0) json.at("n_kv_heads").fail_expected("a divisor of 'n_heads'");
  attention.head_dim = hidden / attention.heads;
  if (attention.head_dim % 2 != 0) json.at("n_heads").fail_expected("heads of an even width");
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  attention.rope = 0;
  layer.feed_forward.intermediate_size = read_intermediate(json, hidden);
  layer.feed_forward.activation = Activation::silu;
  layer.feed_forward.gated = true;
  return layer;
}

RopeConfig read_rotary(const JsonObject& json, int64_t head_dim, int64_t max_positions) {
  RopeConfig rope;
  rope.rotary_dim = head_dim;
  rope.interleaved = true;
  rope.theta = json.get_number("rope_theta", 10000.0, {1e-30, 1e30});
  rope.max_positions = rope.original_max_positions = max_positions;
  if (!json.get_bool("use_scaled_rope", false)) return rope;
  // Meta's code has the numbers built in, and they differ between Llama 3.1 (8) and the small ones of 3.2 (32).
  if (!json.has("rope_scaling_factor")) {
    json.at("rope_scaling_factor").fail_expected("a number beside 'use_scaled_rope': 8 for Llama 3.1, 32 for 3.2");
  }
  rope.kind = RopeKind::llama3;
  rope.factor = json.require_number("rope_scaling_factor", {1.0, 1e6});
  rope.low_frequency_factor = 1.0;
  rope.high_frequency_factor = 4.0;
  rope.original_max_positions = 8192;
  return rope;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, int64_t index, int64_t hidden) {
  const AttentionConfig& a = layer.attention;
  const int64_t kv_width = a.kv_heads * a.head_dim;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "TransformerBlock");
  tree.open("attention", "Attention");
  tree.linear("wq", Role::query, hidden, hidden, false);
  tree.linear("wk", Role::key, hidden, kv_width, false);
  tree.linear("wv", Role::value, hidden, kv_width, false);
  tree.linear("wo", Role::attention_output, hidden, hidden, false);
  tree.close();
  tree.open("feed_forward", "FeedForward");
  tree.linear("w1", Role::gate, hidden, intermediate, false);
  tree.linear("w2", Role::down, intermediate, hidden, false);
  tree.linear("w3", Role::up, hidden, intermediate, false);
  tree.close();
  tree.norm("attention_norm", Role::input_norm, "RMSNorm", hidden, layer.norm);
  tree.norm("ffn_norm", Role::feed_forward_norm, "RMSNorm", hidden, layer.norm);
  tree.close_layer();
}

Blueprint describe(const JsonObject& json) {
  for (const char* key : {"moe", "quantization_args", "lora_args", "vision_chunk_size"}) {
    if (json.has(key)) json.at(key).fail_expected("nothing: only dense text models are supported");
  }
  for (const char* key : {"hidden_dim", "head_dim", "sliding_window"}) {
    if (json.has(key)) json.at(key).fail_expected("nothing: it is no key of Llama's params.json");
  }
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "Transformer";
  config.hidden_size = json.require_int("dim", width_range);
  config.vocabulary = json.require_int("vocab_size", vocabulary_range);
  config.max_positions = json.get_int("max_seq_len", 2048, position_range);  // not a key of the published files
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.require_int("n_layers", layer_range);
  const LayerConfig layer = read_layer(json, config.hidden_size);
  config.final_norm = layer.norm;
  config.ropes = {read_rotary(json, layer.attention.head_dim, config.max_positions)};
  config.layers.assign(static_cast<size_t>(layers), layer);

  blueprint.skipped_tensors = {"rope.freqs"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.embedding("tok_embeddings", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(tree, layer, i, config.hidden_size);
  tree.close();
  tree.norm("norm", Role::final_norm, "RMSNorm", config.hidden_size, layer.norm);
  tree.linear("output", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_llama_meta;
const Policy policy_llama_meta{"llama_meta", model_types, "TransformerBlock", describe};

}  // namespace graft
