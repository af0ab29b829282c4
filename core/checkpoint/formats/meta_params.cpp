#include "core/checkpoint/formats/meta_params.h"

#include <nlohmann/json.hpp>

namespace graft {
namespace {

constexpr const char* model_type = "model_type";
constexpr const char* vocabulary = "vocab_size";
constexpr const char* embedding = "tok_embeddings.weight";

}  // namespace

bool needs_tensors(const JsonObject& params) { return params.get_int(vocabulary, -1) == -1; }

JsonObject complete_meta_params(const JsonObject& params, std::span<const TensorEntry> tensors) {
  nlohmann::json config = nlohmann::json::parse(params.text());
  config.emplace(model_type, "llama_meta");
  if (needs_tensors(params)) {
    for (const TensorEntry& tensor : tensors) {
      if (tensor.name == embedding && tensor.shape.size() == 2) config[vocabulary] = tensor.shape[0];
    }
  }
  return parse_json_object(config.dump(), params.source());
}

}  // namespace graft
