#include "core/policies/support/rope_config.h"

#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/policies/support/config_fields.h"

namespace graft {
namespace {

constexpr NumberRange positive{1e-30, 1e30};

JsonObject find_parameters(const JsonObject& config, std::string_view layer_type) {
  JsonObject parameters = config.get_object("rope_scaling");
  if (parameters.absent()) parameters = config.get_object("rope_parameters");
  const JsonValue nested = parameters.at(layer_type);
  return nested.kind() == JsonKind::object ? nested.as_object() : parameters;
}

RopeKind read_kind(const JsonObject& parameters) {
  const char* key = parameters.has("rope_type") ? "rope_type" : "type";
  const std::string type = parameters.get_string(key, "default");
  if (type == "default") return RopeKind::standard;
  if (type == "linear") return RopeKind::linear;
  if (type == "dynamic") return RopeKind::dynamic;
  if (type == "yarn") return RopeKind::yarn;
  if (type == "longrope" || type == "su") return RopeKind::longrope;
  if (type == "llama3") return RopeKind::llama3;
  parameters.at(key).fail_expected("one of: default, linear, dynamic, yarn, longrope, llama3");
}

// `factor` may be left out where it follows from the two context lengths.
double read_factor(const JsonObject& parameters, const RopeConfig& rope) {
  if (parameters.has("factor")) return parameters.require_number("factor", positive);
  const bool derived = rope.kind == RopeKind::yarn || rope.kind == RopeKind::longrope;
  if (!derived) return parameters.require_number("factor", positive);
  return static_cast<double>(rope.max_positions) / static_cast<double>(rope.original_max_positions);
}

std::vector<double> read_factors(const JsonObject& parameters, std::string_view key, int64_t count) {
  const JsonArray factors = parameters.require_array(key);
  if (factors.size() != count)
    factors.fail_expected("one number for each pair of lanes (" + std::to_string(count) + ")");
  return factors.numbers(positive);
}

}  // namespace

RopeConfig read_rope(const JsonObject& config, int64_t head_dim, int64_t max_positions, const RopeDefaults& defaults,
                     std::string_view layer_type) {
  const JsonObject parameters = find_parameters(config, layer_type);
  const auto number = [&](const char* key, double fallback, NumberRange range) {
    return parameters.get_number(key, config.get_number(key, fallback, range), range);
  };
  RopeConfig rope;
  rope.kind = read_kind(parameters);
  if (rope.kind == RopeKind::yarn && defaults.yarn_is_longrope) rope.kind = RopeKind::longrope;
  rope.theta = number("rope_theta", defaults.theta, positive);
  rope.interleaved = defaults.interleaved;
  rope.rotary_dim = head_dim;
  if (defaults.reads_partial_rotary) {
    const double fraction = number("partial_rotary_factor", defaults.partial_rotary_factor, {1e-6, 1.0});
    rope.rotary_dim = static_cast<int64_t>(static_cast<double>(head_dim) * fraction);
  }
  if (rope.rotary_dim < 2 || rope.rotary_dim % 2 != 0) {
    fail(StatusCode::corrupt_data, "{}: 'head_dim' gives {} rotated lanes, expected an even number, 2 or more",
         config.source(), rope.rotary_dim);
  }
  rope.max_positions = max_positions;
  const int64_t inside = parameters.get_int("original_max_position_embeddings", max_positions, position_range);
  rope.original_max_positions =
      config.get_int("original_max_position_embeddings",
                     defaults.original_max_positions > 0 ? defaults.original_max_positions : inside, position_range);
  if (rope.kind == RopeKind::standard) return rope;
  rope.factor = read_factor(parameters, rope);
  if (rope.kind == RopeKind::dynamic && rope.rotary_dim == 2) config.fail_expected("a 'head_dim' above 2 for dynamic");
  if (rope.kind == RopeKind::llama3) {
    rope.low_frequency_factor = parameters.require_number("low_freq_factor", positive);
    rope.high_frequency_factor = parameters.require_number("high_freq_factor", positive);
    if (rope.low_frequency_factor == rope.high_frequency_factor) {
      parameters.at("high_freq_factor").fail_expected("a number other than 'low_freq_factor'");
    }
  }
  if (rope.kind == RopeKind::yarn) {
    if (rope.theta == 1.0) config.fail_expected("a 'rope_theta' other than 1 for yarn");
    // 0 counts as absent, as in Transformers.
    const double fast = parameters.get_number("beta_fast", 0.0, {0.0, 1e30});
    const double slow = parameters.get_number("beta_slow", 0.0, {0.0, 1e30});
    if (fast != 0) rope.beta_fast = fast;
    if (slow != 0) rope.beta_slow = slow;
    rope.mscale = parameters.get_number("mscale", 0.0, {0.0, 1e30});
    rope.mscale_all_dim = parameters.get_number("mscale_all_dim", 0.0, {0.0, 1e30});
    rope.truncate = parameters.get_bool("truncate", true);
  }
  if (rope.kind == RopeKind::longrope) {
    rope.short_factor = read_factors(parameters, "short_factor", rope.rotary_dim / 2);
    rope.long_factor = read_factors(parameters, "long_factor", rope.rotary_dim / 2);
  }
  if (parameters.has("attention_factor"))
    rope.attention_factor = parameters.require_number("attention_factor", positive);
  return rope;
}

}  // namespace graft
