#include <fmt/format.h>

#include "core/base/quote.h"
#include "core/policies/json/json_policy.h"
#include "core/policies/policy.h"
#include "core/policies/support/generation_defaults.h"

namespace graft {
namespace {

/// One or the other, or neither.
struct Found {
  const JsonPolicy* given = nullptr;
  const Policy* built = nullptr;

  explicit operator bool() const { return given != nullptr || built != nullptr; }
};

Found find_policy(std::string_view model_type, const std::vector<JsonPolicy>& given) {
  for (const JsonPolicy& policy : given) {
    if (policy.answers_to(model_type)) return {&policy, nullptr};
  }
  for (const Policy* policy : policies()) {
    for (const char* const* type = policy->model_types; *type != nullptr; ++type) {
      if (model_type == *type) return {nullptr, policy};
    }
  }
  return {};
}

std::vector<JsonPolicy> read_given(std::span<const std::string> texts) {
  std::vector<JsonPolicy> given;
  for (size_t i = 0; i < texts.size(); ++i) {
    given.emplace_back(texts[i], texts.size() == 1 ? "policy" : fmt::format("policy {}", i + 1));
  }
  return given;
}

std::string known_types(const std::vector<JsonPolicy>& given) {
  std::string known;
  const auto add = [&](std::string_view type) {
    known += known.empty() ? "" : ", ";
    known += type;
  };
  for (const JsonPolicy& policy : given) {
    for (const std::string& type : policy.model_types()) add(printable(type));
  }
  for (const Policy* policy : policies()) {
    for (const char* const* type = policy->model_types; *type != nullptr; ++type) add(*type);
  }
  return known;
}

}  // namespace

PolicyMatch match_policy(const JsonObject& config, const JsonObject& generation_config,
                         std::span<const std::string> given_texts) {
  const std::vector<JsonPolicy> given = read_given(given_texts);
  JsonObject text = config;
  std::string model_type = config.require_string("model_type");
  Found found = find_policy(model_type, given);
  if (!found && config.has("text_config")) {
    text = config.require_object("text_config");
    found = find_policy(text.get_string("model_type", ""), given);
    if (found) model_type = text.require_string("model_type");
  }
  if (!found) {
    fail(StatusCode::unsupported, "{}: 'model_type' is {}, expected one of: {}", config.source(), quote(model_type),
         known_types(given));
  }
  PolicyMatch match;
  match.policy = found.built;
  match.name = found.given != nullptr ? found.given->name() : found.built->name;
  match.blueprint = found.given != nullptr ? found.given->describe(text) : found.built->describe(text);
  match.blueprint.config.model_type = model_type;
  match.blueprint.multimodal = text.path() != config.path();
  // The outer config of a multimodal checkpoint may be the one that says whether the head is tied.
  if (match.blueprint.multimodal && !text.has("tie_word_embeddings") && config.has("tie_word_embeddings")) {
    match.blueprint.config.tied_head = config.require_bool("tie_word_embeddings");
  }
  ModelConfig& model = match.blueprint.config;
  if (model.head.kind == HeadKind::language) {
    model.output_width = model.vocabulary;
  } else if (model.head.kind != HeadKind::embedding) {
    model.output_width = static_cast<int64_t>(model.head.labels.size());
  }
  match.blueprint.config.generation = read_generation_defaults(text, generation_config);
  return match;
}

}  // namespace graft
