#include "core/policies/json/json_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/policies/json/check.h"
#include "core/policies/json/fields.h"
#include "core/policies/json/tree.h"
#include "core/policies/support/config_fields.h"
#include "core/policies/support/rope_config.h"

namespace graft {
namespace {

using json_policy::Fields;

constexpr NumberRange scale_range{1e-12, 1e12};

JsonObject parse(std::string_view text, const std::string& source) {
  JsonOptions options;
  options.max_bytes = 1 << 20;
  options.max_values = 100'000;
  options.unique_keys = true;
  options.python_numbers = false;
  options.error = StatusCode::invalid_argument;
  return parse_json_object(text, source, options);
}

void check_requirements(const JsonArray& requirements, const JsonObject& config, const std::string& name) {
  for (int64_t i = 0; i < requirements.size(); ++i) {
    const JsonObject one = requirements.at(i).as_object();
    one.expect_only({"key", "one_of"});
    const JsonValue stated = json_policy::find_key(config, one.require_string("key"));
    const JsonArray allowed = one.require_array("one_of");
    bool found = false;
    for (int64_t k = 0; k < allowed.size(); ++k) found = found || allowed.at(k).text() == stated.text();
    if (!found) stated.fail_expected(fmt::format("one of {}: the architecture '{}' says so", allowed.text(), name));
  }
}

NormConfig read_norm(const JsonObject& json, Fields& fields) {
  json.expect_only({"kind", "epsilon", "weight_offset"});
  NormConfig norm;
  const std::string kind = fields.text(json, "kind");
  if (kind != "layer" && kind != "rms") json.at("kind").fail_expected("\"layer\" or \"rms\"");
  norm.kind = kind == "layer" ? NormKind::layer : NormKind::rms;
  norm.epsilon = fields.number(json, "epsilon", 1e-5, epsilon_range);
  norm.weight_offset = fields.number(json, "weight_offset", 0.0, {-1e3, 1e3});
  return norm;
}

ResidualForm read_residual(const JsonObject& json, Fields& fields) {
  const std::string form = fields.text(json, "residual", "pre_norm");
  if (form == "pre_norm") return ResidualForm::pre_norm;
  if (form == "post_norm") return ResidualForm::post_norm;
  if (form == "parallel") return ResidualForm::parallel;
  json.at("residual").fail_expected("\"pre_norm\", \"post_norm\" or \"parallel\"");
}

AttentionConfig read_attention(const JsonObject& json, Fields& fields, int64_t hidden) {
  json.expect_only(
      {"heads", "kv_heads", "head_dim", "scale", "window", "softcap", "query_key_norm", "rotary", "alibi_slope"});
  AttentionConfig attention;
  attention.heads = fields.whole(json, "heads", std::nullopt, head_range);
  attention.kv_heads = fields.whole(json, "kv_heads", attention.heads, head_range);
  if (attention.heads % attention.kv_heads != 0) json.at("kv_heads").fail_expected("a divisor of 'heads'");
  const int64_t usual = hidden / attention.heads;
  attention.head_dim = fields.whole(json, "head_dim", usual, {1, 65536});
  const double root = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  attention.scale = fields.number(json, "scale", root, scale_range);
  attention.window = fields.whole(json, "window", 0, {0, position_range.high});
  attention.softcap = fields.number(json, "softcap", 0.0, {0.0, 1e12});
  attention.query_key_norm = fields.flag(json, "query_key_norm", false);
  if (json.has("alibi_slope")) {
    for (int64_t h = 0; h < attention.heads; ++h) {
      fields.set_head(h);
      attention.alibi_slopes.push_back(static_cast<float>(fields.number(json, "alibi_slope", 0.0, {-1e6, 1e6})));
    }
    fields.set_head(-1);
    if (std::ranges::all_of(attention.alibi_slopes, [](float slope) { return slope == 0; })) {
      attention.alibi_slopes.clear();
    }
  }
  return attention;
}

FeedForwardConfig read_feed_forward(const JsonObject& json, Fields& fields) {
  json.expect_only({"intermediate_size", "activation", "gated"});
  FeedForwardConfig config;
  config.intermediate_size = fields.whole(json, "intermediate_size", std::nullopt, intermediate_range);
  const NamedActivation* activation = find_activation(fields.text(json, "activation"));
  if (activation == nullptr) json.at("activation").fail_expected("one of: " + activation_names());
  config.activation = activation->activation;
  config.gated = fields.flag(json, "gated", false);
  return config;
}

LayerConfig read_layer(const JsonObject& json, Fields& fields, const ModelConfig& config) {
  LayerConfig layer;
  layer.residual = read_residual(json, fields);
  layer.norm = read_norm(json.require_object("norm"), fields);
  const JsonObject attention = json.require_object("attention");
  layer.attention = read_attention(attention, fields, config.hidden_size);
  layer.feed_forward = read_feed_forward(json.require_object("feed_forward"), fields);
  if (fields.flag(attention, "rotary", !config.ropes.empty())) {
    if (config.ropes.empty()) attention.at("rotary").fail_expected("false, since 'model' has no 'rope'");
    if (config.ropes[0].rotary_dim > layer.attention.head_dim) {
      attention.at("head_dim").fail_expected("no less than the rotated lanes");
    }
    layer.attention.rope = 0;
  }
  if (layer.attention.query_key_norm && layer.norm.kind != NormKind::rms) {
    attention.at("query_key_norm").fail_expected("false, since the layer's norms are not of kind \"rms\"");
  }
  return layer;
}

// The rope keys of config.json, both spellings; what stands here is for a config that says nothing.
void read_rope_part(const JsonObject& json, Fields& fields, ModelConfig& config) {
  if (json.absent() || !fields.flag(json, "when", true)) return;
  json.expect_only({"when", "head_dim", "theta", "partial_rotary_factor", "rotary_dim", "interleaved"});
  const int64_t head_dim = fields.whole(json, "head_dim", std::nullopt, {2, 65536});
  RopeDefaults defaults;
  defaults.theta = fields.number(json, "theta", 10000.0, {1e-3, 1e12});
  defaults.interleaved = fields.flag(json, "interleaved", false);
  defaults.reads_partial_rotary = json.has("partial_rotary_factor");
  defaults.partial_rotary_factor = fields.number(json, "partial_rotary_factor", 1.0, {1e-6, 1.0});
  const int64_t rotated = json.has("rotary_dim") ? fields.whole(json, "rotary_dim", head_dim, {2, head_dim}) : head_dim;
  config.ropes = {read_rope(fields.config(), rotated, config.max_positions, defaults)};
}

void read_model(const JsonObject& json, Fields& fields, ModelConfig& config) {
  json.expect_only({"hidden_size", "vocabulary", "layers", "max_positions", "embedding_width", "embedding_scale",
                    "position_table", "position_offset", "tied_head", "norm", "rope"});
  config.hidden_size = fields.whole(json, "hidden_size", std::nullopt, width_range);
  config.vocabulary = fields.whole(json, "vocabulary", std::nullopt, vocabulary_range);
  config.max_positions = fields.whole(json, "max_positions", std::nullopt, position_range);
  config.embedding_width = fields.whole(json, "embedding_width", 0, {0, width_range.high});
  config.embedding_scale = fields.number(json, "embedding_scale", 1.0, scale_range);
  config.position_table = fields.whole(json, "position_table", 0, {0, position_range.high});
  config.position_offset = fields.whole(json, "position_offset", 0, {0, position_range.high});
  if (config.position_table > 0 && config.position_table - config.position_offset < 1) {
    json.at("position_table").fail_expected("more rows than 'position_offset'");
  }
  if (config.position_table > 0) {
    config.max_positions = std::min(config.max_positions, config.position_table - config.position_offset);
  }
  config.tied_head = fields.flag(json, "tied_head", false);
  read_rope_part(json.get_object("rope"), fields, config);
}

bool has_role(const Blueprint& blueprint, Role role) {
  return std::ranges::any_of(blueprint.modules, [&](const ModuleSpec& module) { return module.role == role; });
}

}  // namespace

JsonPolicy::JsonPolicy(std::string_view text, const std::string& source) : json_(parse(text, source)) {
  json_.expect_only({"name", "model_types", "architecture", "base_prefix", "skipped_tensors", "require", "fields",
                     "model", "layer", "modules"});
  const JsonArray types = json_.require_array("model_types");
  model_types_ = types.strings();
  if (model_types_.empty()) types.fail_expected("at least one model_type");
  name_ = json_.get_string("name", model_types_.front());
  json_.require_string("architecture");
  json_.require_object("model");
  json_.require_object("layer");
  json_.require_array("modules");
}

bool JsonPolicy::answers_to(std::string_view model_type) const {
  return std::ranges::find(model_types_, model_type) != model_types_.end();
}

Blueprint JsonPolicy::describe(const JsonObject& json) const {
  check_requirements(json_.get_array("require"), json, name_);
  Fields fields(json_.get_object("fields"), json);
  Blueprint blueprint;
  blueprint.base_prefix = json_.get_string("base_prefix", "");
  blueprint.skipped_tensors = json_.get_array("skipped_tensors").strings();
  ModelConfig& config = blueprint.config;
  config.architecture = json_.require_string("architecture");
  config.stored_dtype = read_stored_dtype(json);
  const JsonObject model = json_.require_object("model");
  read_model(model, fields, config);

  const JsonObject layer = json_.require_object("layer");
  layer.expect_only({"residual", "norm", "attention", "feed_forward"});
  const int64_t layers = fields.whole(model, "layers", std::nullopt, layer_range);
  for (int64_t i = 0; i < layers; ++i) {
    fields.set_layer(i);
    config.layers.push_back(read_layer(layer, fields, config));
  }
  fields.set_layer(-1);

  const JsonObject norm = model.get_object("norm");
  config.final_norm = norm.absent() ? config.layers.front().norm : read_norm(norm, fields);
  const JsonArray modules = json_.require_array("modules");
  json_policy::add_modules(modules, fields, blueprint);
  if (has_role(blueprint, Role::embedding_norm)) config.embedding_norm = config.final_norm;
  if (!has_role(blueprint, Role::final_norm)) config.final_norm.reset();
  json_policy::check_blueprint(blueprint, modules);
  return blueprint;
}

}  // namespace graft
