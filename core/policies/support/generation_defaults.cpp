#include "core/policies/support/generation_defaults.h"

#include <vector>

namespace graft {
namespace {

constexpr IntRange token_range{0, (int64_t{1} << 31) - 1};

std::optional<int64_t> first_token(const JsonObject& first, const JsonObject& second, const char* key) {
  for (const JsonObject* object : {&first, &second}) {
    // -1 is an old way to say "none".
    const std::vector<int64_t> ids = object->get_int_or_ints(key, {-1, token_range.high});
    if (!ids.empty() && ids.front() >= 0) return ids.front();
  }
  return std::nullopt;
}

}  // namespace

GenerationDefaults read_generation_defaults(const JsonObject& config, const JsonObject& generation_config) {
  GenerationDefaults defaults;
  const JsonObject& ends = generation_config.has("eos_token_id") ? generation_config : config;
  defaults.eos_tokens = ends.get_int_or_ints("eos_token_id", {-1, token_range.high});
  std::erase(defaults.eos_tokens, -1);
  defaults.bos_token = first_token(generation_config, config, "bos_token_id");
  defaults.pad_token = first_token(generation_config, config, "pad_token_id");
  if (generation_config.has("do_sample")) defaults.sample = generation_config.require_bool("do_sample");
  if (generation_config.has("temperature")) {
    defaults.temperature = generation_config.require_number("temperature", {0.0, 1e6});
  }
  if (generation_config.has("top_k")) {
    defaults.top_k = generation_config.require_int("top_k", {0, token_range.high});
  }
  if (generation_config.has("top_p")) defaults.top_p = generation_config.require_number("top_p", {0.0, 1.0});
  return defaults;
}

}  // namespace graft
