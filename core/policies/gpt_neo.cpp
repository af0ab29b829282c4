// GPT-Neo: GPT-2 with plain linears, unscaled scores, and layers that see `window_size` tokens in turn with layers that
// see all. Source: Transformers models/gpt_neo.
#include <cmath>

#include "core/policies/policy.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"gpt_neo", nullptr};

// Transformers makes a float of the probability, so 0 prints as 0.0.
std::string dropout(const JsonObject& json, std::string_view key) {
  const double p = json.get_number(key, 0.0, {0.0, 1.0});
  return fmt::format("p={}{}, inplace=False", p, p == std::floor(p) ? ".0" : "");
}

// [[["global", "local"], 12]]: each list of names so many times.
std::vector<std::string> expand_types(const JsonObject& json, int64_t layers) {
  const JsonArray groups = json.get_array("attention_types");
  std::vector<std::string> types;
  if (groups.absent()) {
    for (int64_t i = 0; i < 24; ++i) types.push_back(i % 2 == 0 ? "global" : "local");
    return types;
  }
  for (int64_t g = 0; g < groups.size(); ++g) {
    const JsonArray group = groups.at(g).as_array();
    if (group.size() != 2) group.fail_expected("a list of types and how often it repeats");
    const std::vector<std::string> names = group.at(0).as_array().strings();
    const int64_t count = group.at(1).as_int({0, layers});
    for (int64_t i = 0; i < count && static_cast<int64_t>(types.size()) <= layers; ++i) {
      types.insert(types.end(), names.begin(), names.end());
    }
  }
  return types;
}

std::vector<std::string> read_types(const JsonObject& json, int64_t layers) {
  const JsonArray listed = json.get_array("attention_layers");  // the same, written out
  const bool expand = json.has("attention_types") || listed.absent();
  const std::vector<std::string> types = expand ? expand_types(json, layers) : listed.strings();
  if (static_cast<int64_t>(types.size()) != layers) {
    json.at(expand ? "attention_types" : "attention_layers")
        .fail_expected(fmt::format("one entry per layer ({})", layers));
  }
  if (!listed.absent() && listed.strings() != types) listed.fail_expected("what 'attention_types' says");
  return types;
}

void add_layer(BlueprintBuilder& tree, const LayerConfig& layer, const JsonObject& json, int64_t index,
               int64_t hidden) {
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, "GPTNeoBlock");
  tree.norm("ln_1", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("attn", "GPTNeoAttention");
  tree.open("attention", "GPTNeoSelfAttention");
  tree.plain("attn_dropout", "Dropout", dropout(json, "attention_dropout"));
  tree.plain("resid_dropout", "Dropout", dropout(json, "resid_dropout"));
  tree.linear("k_proj", Role::key, hidden, hidden, false);
  tree.linear("v_proj", Role::value, hidden, hidden, false);
  tree.linear("q_proj", Role::query, hidden, hidden, false);
  tree.linear("out_proj", Role::attention_output, hidden, hidden, true);
  tree.close();
  tree.close();
  tree.norm("ln_2", Role::feed_forward_norm, "LayerNorm", hidden, layer.norm);
  tree.open("mlp", "GPTNeoMLP");
  tree.linear("c_fc", Role::up, hidden, intermediate, true);
  tree.linear("c_proj", Role::down, intermediate, hidden, true);
  tree.plain("act", read_activation_class(json, "activation_function", "gelu_new"));
  tree.plain("dropout", "Dropout", dropout(json, "resid_dropout"));
  tree.close();
  tree.close_layer();
}

void read_layers(const JsonObject& json, ModelConfig& config) {
  const int64_t layers = json.get_int(either_key(json, "num_layers", "num_hidden_layers"), 24, layer_range);
  const std::vector<std::string> types = read_types(json, layers);
  const int64_t window = json.get_int("window_size", 256, position_range);
  LayerConfig layer;
  layer.norm = *config.final_norm;
  layer.attention =
      read_plain_attention(json, either_key(json, "num_heads", "num_attention_heads"), 16, config.hidden_size);
  layer.attention.scale = 1.0;
  layer.feed_forward.intermediate_size = json.get_int("intermediate_size", 4 * config.hidden_size, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation_function", "gelu_new");
  layer.feed_forward.gated = false;
  for (int64_t i = 0; i < layers; ++i) {
    const std::string& type = types[static_cast<size_t>(i)];
    if (type != "global" && type != "local") {
      json.at(json.has("attention_types") ? "attention_types" : "attention_layers")
          .fail_expected("the types \"global\" and \"local\" alone");
    }
    layer.attention.window = type == "local" ? window : 0;
    config.layers.push_back(layer);
  }
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = "GPTNeoForCausalLM";
  config.hidden_size = json.get_int("hidden_size", 2048, width_range);
  config.vocabulary = json.get_int("vocab_size", 50257, vocabulary_range);
  config.max_positions = json.get_int("max_position_embeddings", 2048, position_range);
  config.position_table = config.max_positions;
  config.tied_head = json.get_bool("tie_word_embeddings", true);
  config.stored_dtype = read_stored_dtype(json);
  config.final_norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  read_layers(json, config);

  blueprint.base_prefix = "transformer.";
  // Causal masks that older versions stored as buffers.
  blueprint.skipped_tensors = {"*.attn.attention.bias", "*.attn.attention.masked_bias"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", "GPTNeoModel");
  tree.embedding("wte", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.embedding("wpe", Role::position_embedding, config.position_table, config.hidden_size);
  tree.plain("drop", "Dropout", dropout(json, "embed_dropout"));
  tree.open("h", "ModuleList");
  for (size_t i = 0; i < config.layers.size(); ++i) {
    add_layer(tree, config.layers[i], json, static_cast<int64_t>(i), config.hidden_size);
  }
  tree.close();
  tree.norm("ln_f", Role::final_norm, "LayerNorm", config.hidden_size, *config.final_norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, false);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_gpt_neo;
const Policy policy_gpt_neo{"gpt_neo", model_types, "GPTNeoBlock", describe};

}  // namespace graft
