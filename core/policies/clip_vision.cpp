// CLIP's vision model, alone or with its projection: patches of an image after a class row, through layers that look
// both ways. Source: Transformers models/clip.
#include "core/policies/policy.h"
#include "core/policies/support/clip_like.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr const char* model_types[] = {"clip_vision_model", nullptr};
constexpr const char* base_class = "CLIPVisionModel";
constexpr const char* projection_class = "CLIPVisionModelWithProjection";
constexpr IntRange channel_range{1, 1024};
constexpr IntRange pixel_range{1, 16384};
constexpr int64_t most_pixels = int64_t{1} << 26;        // of an image; these two bound what a step holds,
constexpr int64_t most_patch_values = int64_t{1} << 16;  // whatever config.json claims
constexpr int64_t input_kinds = 2;                       // the class row and patches, as token ids

ImageConfig read_image(const JsonObject& json) {
  ImageConfig image;
  image.channels = json.get_int("num_channels", 3, channel_range);
  image.size = json.get_int("image_size", 224, pixel_range);
  image.patch = json.get_int("patch_size", 32, pixel_range);
  if (image.patch > image.size) json.at("patch_size").fail_expected("at most 'image_size'");
  if (image.channels * image.size * image.size > most_pixels) {
    json.at("image_size").fail_expected(fmt::format("an image of at most {} values", most_pixels));
  }
  if (image.patch_values() > most_patch_values) {
    json.at("patch_size").fail_expected(fmt::format("a patch of at most {} values", most_patch_values));
  }
  return image;
}

void add_embeddings(BlueprintBuilder& tree, Blueprint& blueprint) {
  const ModelConfig& config = blueprint.config;
  const ImageConfig& image = *config.image;
  const int64_t hidden = config.hidden_size, patch = image.patch;
  tree.open("embeddings", "CLIPVisionEmbeddings");
  ModuleSpec& embeddings = blueprint.modules.back();
  embeddings.role = Role::class_embedding;
  embeddings.parameters = {{"class_embedding", {hidden}, {}}};
  tree.plain("patch_embedding", "Conv2d",
             fmt::format("{}, {}, kernel_size=({}, {}), stride=({}, {}), bias=False", image.channels, hidden, patch,
                         patch, patch, patch));
  ModuleSpec& convolution = blueprint.modules.back();
  convolution.role = Role::patch_embedding;
  convolution.parameters = {{"weight", {hidden, image.channels, patch, patch}, {}}};
  tree.embedding("position_embedding", Role::position_embedding, config.position_table, hidden);
  tree.close();
}

// The class row makes the embedding: its norm alone, or a projection of that.
void add_pooler(BlueprintBuilder& tree, ModelConfig& config) {
  config.head.kind = HeadKind::embedding;
  config.head.normed = true;
  config.head.norm = *config.embedding_norm;
  tree.norm("post_layernorm", Role::head_norm, "LayerNorm", config.hidden_size, config.head.norm);
}

Blueprint describe(const JsonObject& json) {
  Blueprint blueprint;
  ModelConfig& config = blueprint.config;
  const JsonArray architectures = json.get_array("architectures");
  const bool projected = architectures.size() > 0 && architectures.at(0).as_string() == projection_class;
  read_clip_half(json, projected ? projection_class : base_class, projected ? "" : "vision_model.", {768, 3072, 12},
                 /*causal=*/false, blueprint);
  if (projected) blueprint.base_prefix = "vision_model.";
  config.image = read_image(json);
  config.vocabulary = input_kinds;
  config.position_table = 1 + config.image->patches();
  config.max_positions = config.position_table;
  config.embedding_norm = config.layers.front().norm;
  config.output_width = projected ? json.get_int("projection_dim", 512, width_range) : config.hidden_size;

  BlueprintBuilder tree(blueprint);
  tree.open("", config.architecture);
  if (projected) tree.open("vision_model", base_class);
  add_embeddings(tree, blueprint);
  tree.norm("pre_layrnorm", Role::embedding_norm, "LayerNorm", config.hidden_size, *config.embedding_norm);
  add_clip_encoder(tree, json, config);
  add_pooler(tree, config);
  if (projected) {
    tree.close();
    tree.linear("visual_projection", Role::head, config.hidden_size, config.output_width, false);
  }
  tree.close();
  return blueprint;
}

}  // namespace

extern const Policy policy_clip_vision;
const Policy policy_clip_vision{"clip_vision", model_types, "CLIPEncoderLayer", describe};

}  // namespace graft
