#include <fmt/format.h>

#include "core/base/quote.h"
#include "core/policies/policy.h"
#include "core/policies/support/generation_defaults.h"

namespace graft {
namespace {

const Policy* find_policy(std::string_view model_type) {
  for (const Policy* policy : policies()) {
    for (const char* const* type = policy->model_types; *type != nullptr; ++type) {
      if (model_type == *type) return policy;
    }
  }
  return nullptr;
}

std::string known_types() {
  std::string known;
  for (const Policy* policy : policies()) {
    for (const char* const* type = policy->model_types; *type != nullptr; ++type) {
      known += known.empty() ? "" : ", ";
      known += *type;
    }
  }
  return known;
}

}  // namespace

PolicyMatch match_policy(const JsonObject& config, const JsonObject& generation_config) {
  JsonObject text = config;
  std::string model_type = config.require_string("model_type");
  const Policy* policy = find_policy(model_type);
  if (policy == nullptr && config.has("text_config")) {
    text = config.require_object("text_config");
    policy = find_policy(text.get_string("model_type", ""));
    if (policy != nullptr) model_type = text.require_string("model_type");
  }
  if (policy == nullptr) {
    fail(StatusCode::unsupported, "{}: 'model_type' is {}, expected one of: {}", config.source(), quote(model_type),
         known_types());
  }
  PolicyMatch match;
  match.policy = policy;
  match.blueprint = policy->describe(text);
  match.blueprint.config.model_type = model_type;
  match.blueprint.multimodal = text.path() != config.path();
  // The outer config of a multimodal checkpoint may be the one that says whether the head is tied.
  if (match.blueprint.multimodal && !text.has("tie_word_embeddings") && config.has("tie_word_embeddings")) {
    match.blueprint.config.tied_head = config.require_bool("tie_word_embeddings");
  }
  ModelConfig& model = match.blueprint.config;
  if (model.head.kind == HeadKind::language) {
    model.output_width = model.vocabulary;
  } else {
    model.output_width = static_cast<int64_t>(model.head.labels.size());
  }
  match.blueprint.config.generation = read_generation_defaults(text, generation_config);
  return match;
}

}  // namespace graft
