// CLIP's text model: causal layers whose rows are read as an encoder's; the row of the end of the text is its
// embedding. Source: Transformers models/clip.
#include "core/policies/policy.h"
#include "core/policies/support/clip_like.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"clip_text_model", nullptr};
// What config.json of the first releases says of the end of the text, whatever it is: read as the highest token then.
constexpr int64_t wrong_end = 2;

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  read_clip_half(json, "CLIPTextModel", "text_model.", {512, 2048, 8}, /*causal=*/true, blueprint);
  config.vocabulary = json.get_int("vocab_size", 49408, vocabulary_range);
  config.position_table = json.get_int("max_position_embeddings", 77, position_range);
  config.max_positions = config.position_table;
  config.final_norm = config.layers.front().norm;
  const int64_t end = json.get_int("eos_token_id", 49407);
  config.pooled_token = end == wrong_end ? ModelConfig::highest_token : end;

  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  tree.open("embeddings", "CLIPTextEmbeddings");
  tree.embedding("token_embedding", Role::token_embedding, config.vocabulary, config.hidden_size);
  tree.embedding("position_embedding", Role::position_embedding, config.position_table, config.hidden_size);
  tree.close();
  add_clip_encoder(tree, json, config);
  tree.norm("final_layer_norm", Role::final_norm, "LayerNorm", config.hidden_size, *config.final_norm);
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_clip_text;
const Policy policy_clip_text{"clip_text", model_types, "CLIPEncoderLayer", describe};

}  // namespace graft
