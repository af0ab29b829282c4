// Text as config.json and, behind lines "---", generation_config.json and an architecture (core/policies/json):
// match_policy refuses it with an Error, or describes a model whose tables can be made.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"
#include "core/checkpoint/json.h"
#include "core/model/rope.h"
#include "core/policies/policy.h"

namespace {

void check(const graft::Blueprint& blueprint) {
  const graft::ModelConfig& config = blueprint.config;
  if (config.layers.empty() || config.hidden_size < 1 || config.vocabulary < 1) abort();
  for (const graft::LayerConfig& layer : config.layers) {
    const graft::AttentionConfig& attention = layer.attention;
    if (attention.heads < 1 || attention.kv_heads < 1 || attention.heads % attention.kv_heads != 0) abort();
    if (attention.head_dim < 1 || attention.rope >= static_cast<int32_t>(config.ropes.size())) abort();
    if (!(attention.scale > 0) || layer.feed_forward.intermediate_size < 1) abort();
  }
  for (const graft::RopeConfig& rope : config.ropes) graft::make_rope_tables(rope);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view separator = "\n---\n";
  const size_t at = text.find(separator);
  const std::string_view rest = at == std::string_view::npos ? "" : text.substr(at + separator.size());
  const size_t second = rest.find(separator);
  std::vector<std::string> given;
  if (second != std::string_view::npos) given.emplace_back(rest.substr(second + separator.size()));
  graft::PolicyMatch match;
  try {
    const graft::JsonObject config = graft::parse_json(text.substr(0, at), "config.json").as_object();
    graft::JsonObject generation;
    if (at != std::string_view::npos) {
      generation = graft::parse_json(rest.substr(0, second), "generation_config.json").as_object();
    }
    match = graft::match_policy(config, generation, given);
  } catch (const graft::Error& error) {
    if (error.code() == graft::StatusCode::internal || *error.what() == '\0') abort();
    return 0;
  }
  check(match.blueprint);  // an Error from here on is a finding: what was described must be usable
  return 0;
}
