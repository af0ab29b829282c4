#include "core/policies/support/gptj_like.h"

#include "core/policies/support/config_fields.h"
#include "core/policies/support/decoder_fields.h"

namespace graft {
namespace {

constexpr int64_t codegen_blocks = 4;  // cores of the machine that trained it; not a key of config.json

LayerConfig read_layer(const JsonObject& json, const GptjLike& family, int64_t hidden) {
  LayerConfig layer;
  layer.residual = ResidualForm::parallel;
  layer.norm = {NormKind::layer, json.get_number("layer_norm_epsilon", 1e-5, epsilon_range), 0.0};
  const std::string_view heads = either_key(json, "n_head", "num_attention_heads");
  layer.attention = read_plain_attention(json, heads, 16, hidden);
  if (family.fused && layer.attention.heads % codegen_blocks != 0) {
    json.at(heads).fail_expected(fmt::format("a multiple of {}", codegen_blocks));
  }
  layer.attention.rope = 0;
  layer.feed_forward.intermediate_size = json.get_int("n_inner", 4 * hidden, intermediate_range);
  layer.feed_forward.activation = read_activation(json, "activation_function", "gelu_new");
  layer.feed_forward.gated = false;
  return layer;
}

void add_layer(Blueprint& blueprint, BlueprintBuilder& tree, const GptjLike& family, const LayerConfig& layer,
               const JsonObject& json, int64_t index) {
  const int64_t hidden = blueprint.config.hidden_size;
  const int64_t intermediate = layer.feed_forward.intermediate_size;
  tree.open_layer(index, family.prefix + "Block");
  tree.norm("ln_1", Role::input_norm, "LayerNorm", hidden, layer.norm);
  tree.open("attn", family.prefix + "Attention");
  tree.plain("attn_dropout", "Dropout", dropout_detail(json, "attn_pdrop", "0.0"));
  tree.plain("resid_dropout", "Dropout", dropout_detail(json, "resid_pdrop", "0.0"));
  if (family.fused) {
    tree.linear("qkv_proj", Role::query_key_value, hidden, 3 * hidden, false);
    blueprint.modules.back().fused = fused_codegen(layer.attention.heads, layer.attention.head_dim);
  } else {
    tree.linear("k_proj", Role::key, hidden, hidden, false);
    tree.linear("v_proj", Role::value, hidden, hidden, false);
    tree.linear("q_proj", Role::query, hidden, hidden, false);
  }
  tree.linear("out_proj", Role::attention_output, hidden, hidden, false);
  tree.close();
  tree.open("mlp", family.prefix + "MLP");
  tree.linear("fc_in", Role::up, hidden, intermediate, true);
  tree.linear("fc_out", Role::down, intermediate, hidden, true);
  tree.plain("act", read_activation_class(json, "activation_function", "gelu_new"));
  tree.plain("dropout", "Dropout", dropout_detail(json, "resid_pdrop", "0.0"));
  tree.close();
  tree.close_layer();
}

}  // namespace

Blueprint describe_gptj_like(const JsonObject& json, const GptjLike& family) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  config.architecture = family.prefix + "ForCausalLM";
  config.hidden_size = json.get_int(either_key(json, "n_embd", "hidden_size"), 4096, width_range);
  config.vocabulary = json.get_int("vocab_size", 50400, vocabulary_range);
  config.max_positions = json.get_int(either_key(json, "n_positions", "max_position_embeddings"), 2048, position_range);
  config.tied_head = json.get_bool("tie_word_embeddings", false);
  config.stored_dtype = read_stored_dtype(json);
  const int64_t layers = json.get_int(either_key(json, "n_layer", "num_hidden_layers"), 28, layer_range);
  const LayerConfig layer = read_layer(json, family, config.hidden_size);
  config.final_norm = layer.norm;
  config.ropes = {read_paired_rotary(json, layer.attention.head_dim, config.max_positions)};
  config.layers.assign(static_cast<size_t>(layers), layer);

  blueprint.base_prefix = "transformer.";
  // Causal masks that older versions stored as buffers.
  blueprint.skipped_tensors = {"*.attn.bias", "*.attn.masked_bias", "*.attn.causal_mask", "*.attn.embed_positions"};
  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("transformer", family.prefix + "Model");
  tree.embedding("wte", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.plain("drop", "Dropout", dropout_detail(json, "embd_pdrop", "0.0"));
  tree.open("h", "ModuleList");
  for (int64_t i = 0; i < layers; ++i) add_layer(blueprint, tree, family, layer, json, i);
  tree.close();
  tree.norm("ln_f", Role::final_norm, "LayerNorm", config.hidden_size, layer.norm);
  tree.close();
  tree.linear("lm_head", Role::head, config.hidden_size, config.vocabulary, true);
  tree.close();
  return blueprint;
}

}  // namespace graft
