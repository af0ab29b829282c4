// Architectures given as JSON against policies that were built, and what their errors name.
#include "core/policies/json/json_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/policies/json/expression.h"
#include "core/policies/policy.h"

namespace graft {
namespace {

using Json = nlohmann::json;

Json read_example(const std::string& name) {
  const char* source = std::getenv("GRAFT_TEST_SOURCE");
  std::ifstream file(std::string(source == nullptr ? "." : source) + "/examples/architectures/" + name);
  return Json::parse(file);
}

PolicyMatch match(const Json& config, const std::vector<std::string>& given) {
  return match_policy(parse_json_object(config.dump(), "config.json"),
                      parse_json_object("{}", "generation_config.json"), given);
}

void expect_alike(const ModuleSpec& a, const ModuleSpec& b) {
  SCOPED_TRACE(b.path);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.class_name, b.class_name);
  EXPECT_EQ(a.detail, b.detail);
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.layer, b.layer);
  EXPECT_EQ(a.layout, b.layout);
  EXPECT_EQ(a.parallel, b.parallel);
  EXPECT_EQ(a.fused.query, b.fused.query);
  EXPECT_EQ(a.fused.key, b.fused.key);
  EXPECT_EQ(a.fused.value, b.fused.value);
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    EXPECT_EQ(a.parameters[i].name, b.parameters[i].name);
    EXPECT_EQ(a.parameters[i].shape, b.parameters[i].shape);
  }
}

void expect_alike(const LayerConfig& a, const LayerConfig& b) {
  EXPECT_EQ(a.residual, b.residual);
  EXPECT_EQ(a.norm.kind, b.norm.kind);
  EXPECT_EQ(a.norm.epsilon, b.norm.epsilon);
  EXPECT_EQ(a.norm.weight_offset, b.norm.weight_offset);
  EXPECT_EQ(a.attention.heads, b.attention.heads);
  EXPECT_EQ(a.attention.kv_heads, b.attention.kv_heads);
  EXPECT_EQ(a.attention.head_dim, b.attention.head_dim);
  EXPECT_EQ(a.attention.scale, b.attention.scale);
  EXPECT_EQ(a.attention.window, b.attention.window);
  EXPECT_EQ(a.attention.rope, b.attention.rope);
  EXPECT_EQ(a.attention.alibi_slopes, b.attention.alibi_slopes);
  EXPECT_EQ(a.feed_forward.intermediate_size, b.feed_forward.intermediate_size);
  EXPECT_EQ(a.feed_forward.activation, b.feed_forward.activation);
  EXPECT_EQ(a.feed_forward.gated, b.feed_forward.gated);
}

/// The JSON describes the model of `config` as the built policy does.
void expect_same_model(const Json& policy, const Json& config) {
  SCOPED_TRACE(config.dump());
  const PolicyMatch built = match(config, {});
  const PolicyMatch given = match(config, {policy.dump()});
  EXPECT_EQ(given.policy, nullptr);
  EXPECT_EQ(given.name, policy.at("name").get<std::string>());
  const Blueprint& a = given.blueprint;
  const Blueprint& b = built.blueprint;
  EXPECT_EQ(a.base_prefix, b.base_prefix);
  EXPECT_EQ(a.skipped_tensors, b.skipped_tensors);
  EXPECT_EQ(a.config.architecture, b.config.architecture);
  EXPECT_EQ(a.config.hidden_size, b.config.hidden_size);
  EXPECT_EQ(a.config.vocabulary, b.config.vocabulary);
  EXPECT_EQ(a.config.max_positions, b.config.max_positions);
  EXPECT_EQ(a.config.position_table, b.config.position_table);
  EXPECT_EQ(a.config.tied_head, b.config.tied_head);
  EXPECT_EQ(a.config.stored_dtype, b.config.stored_dtype);
  EXPECT_EQ(a.config.embedding_scale, b.config.embedding_scale);
  EXPECT_EQ(a.config.final_norm.has_value(), b.config.final_norm.has_value());
  ASSERT_EQ(a.config.ropes.size(), b.config.ropes.size());
  for (size_t i = 0; i < a.config.ropes.size(); ++i) {
    EXPECT_EQ(a.config.ropes[i].kind, b.config.ropes[i].kind);
    EXPECT_EQ(a.config.ropes[i].theta, b.config.ropes[i].theta);
    EXPECT_EQ(a.config.ropes[i].rotary_dim, b.config.ropes[i].rotary_dim);
    EXPECT_EQ(a.config.ropes[i].factor, b.config.ropes[i].factor);
  }
  ASSERT_EQ(a.config.layers.size(), b.config.layers.size());
  for (size_t i = 0; i < a.config.layers.size(); ++i) expect_alike(a.config.layers[i], b.config.layers[i]);
  ASSERT_EQ(a.modules.size(), b.modules.size());
  for (size_t i = 0; i < a.modules.size(); ++i) expect_alike(a.modules[i], b.modules[i]);
}

Json phi_config() {
  return {{"model_type", "phi"},      {"hidden_size", 64},        {"num_hidden_layers", 2},
          {"num_attention_heads", 4}, {"intermediate_size", 160}, {"vocab_size", 131}};
}

TEST(JsonPolicy, PhiIsWhatThePolicySays) {
  const Json policy = read_example("phi.json");
  expect_same_model(policy, {{"model_type", "phi"}});
  expect_same_model(policy, phi_config());
  for (const Json& change :
       {Json{{"num_key_value_heads", 2}}, Json{{"head_dim", 24}}, Json{{"hidden_act", "relu"}},
        Json{{"layer_norm_eps", 0.01}}, Json{{"tie_word_embeddings", true}}, Json{{"pad_token_id", 7}},
        Json{{"partial_rotary_factor", 0.25}}, Json{{"resid_pdrop", 0.1}}, Json{{"dtype", "bfloat16"}},
        Json{{"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 500.0}}}}}) {
    Json config = phi_config();
    config.update(change);
    expect_same_model(policy, config);
  }
}

TEST(JsonPolicy, Gpt2IsWhatThePolicySays) {
  const Json policy = read_example("gpt2.json");
  Json config = {{"model_type", "gpt2"}, {"n_embd", 64}, {"n_head", 4}, {"n_layer", 3}, {"vocab_size", 131}};
  expect_same_model(policy, config);
  config.update({{"scale_attn_by_inverse_layer_idx", true}, {"n_inner", 100}, {"resid_pdrop", 0}});
  expect_same_model(policy, config);
  config["scale_attn_weights"] = false;
  expect_same_model(policy, config);
}

std::string error_of(const Json& policy, const Json& config) {
  try {
    match(config, {policy.dump()});
    return "";
  } catch (const Error& error) {
    EXPECT_NE(error.code(), StatusCode::internal) << error.what();
    return error.what();
  }
}

TEST(JsonPolicy, FirstThatAnswersIsTaken) {
  Json first = read_example("phi.json"), second = first;
  first["name"] = "first", first["model_types"] = {"other", "mine"};
  second["name"] = "second", second["model_types"] = {"mine"};
  Json config = phi_config();
  config["model_type"] = "mine";
  EXPECT_EQ(match(config, {first.dump(), second.dump()}).name, "first");
  EXPECT_EQ(match(config, {second.dump(), first.dump()}).name, "second");
  EXPECT_EQ(match(phi_config(), {first.dump()}).name, "phi");
  EXPECT_THROW(match(config, {}), Error);
  config["model_type"] = "another";
  EXPECT_NE(error_of(first, config).find("expected one of: other, mine, bert"), std::string::npos);
}

TEST(JsonPolicy, ErrorsNameTheKey) {
  const std::string layers = "/modules/0/children/1/children";
  const auto in_layer = [&](const char* rest) { return fmt::format("{}{}", layers, rest); };
  const std::string query = in_layer("/0/children/0"), norm = in_layer("/2"), layer_list = "/modules/0/children/1";
  const std::vector<std::pair<std::string, std::pair<Json, std::string>>> changes = {
      {"/model_types", {7, "'model_types' is 7"}},
      {"/model_types", {Json::array(), "'model_types'"}},
      {"/architecture", {nullptr, "'architecture' is missing"}},
      {"/no_such", {1, "no_such"}},
      {"/fields/heads/key", {nullptr, "fields.heads.key"}},
      {"/fields/heads/type", {"list", "fields.heads.type"}},
      {"/fields/head_dim/default", {"hidden / head_dim", "'head_dim' stands on itself"}},
      {"/fields/kv_heads/default", {"hidden / 0", "64 / 0"}},
      {"/fields/kv_heads/default", {"hidden / ", "fields.kv_heads.default"}},
      {"/fields/kv_heads/default", {"hiden", "there is no field 'hiden'"}},
      {"/fields/kv_heads/default", {3, "layer.attention.kv_heads"}},
      {"/model/hidden_size", {"hidden * 100000", "it gives 6400000"}},
      {"/model/hidden_size", {"activation", "model.hidden_size"}},
      {"/model/vocabulary", {nullptr, "model.vocabulary"}},
      {"/layer/residual", {"sideways", "layer.residual"}},
      {"/layer/norm/kind", {"batch", "layer.norm.kind"}},
      {"/layer/attention/scale", {0, "layer.attention.scale"}},
      {"/layer/attention/query_key_norm", {true, "layer.attention.query_key_norm"}},
      {"/layer/feed_forward/activation", {"sine", "layer.feed_forward.activation"}},
      {"/layer/feed_forward/gated", {true, "role 'gate'"}},
      {query + "/role", {"kwery", "role"}},
      {query + "/role", {"key", "one module of the role"}},
      {query + "/out", {"heads", "[64, 64]"}},
      {query + "/parallel", {"row", "\"column\""}},
      {query + "/fused", {"thirds", "the role is another"}},
      {query + "/name", {"k_proj", "one module"}},
      {query + "/name", {"", "a name without dots"}},
      {query + "/when", {"heads", "when"}},
      {query + "/kind", {"convolution", "kind"}},
      {norm + "/when", {false, "role 'input_norm'"}},
      {norm + "/width", {"hidden + 1", "[64]"}},
      {layer_list + "/children", {Json::array(), "in layer 0"}},
      {layer_list + "/kind", {"group", "layer_class"}},
      {layer_list + "/layer_class", {nullptr, "layer_class"}},
      {"/modules/1/role", {"query", "role"}},
      {"/modules", {Json::array(), "role 'token_embedding'"}},
  };
  for (const auto& [pointer, change] : changes) {
    Json policy = read_example("phi.json");
    policy[Json::json_pointer(pointer)] = change.first;
    EXPECT_NE(error_of(policy, phi_config()).find(change.second), std::string::npos)
        << pointer << " = " << change.first << " gives: " << error_of(policy, phi_config());
  }
  Json config = phi_config();
  config["qk_layernorm"] = true;
  EXPECT_NE(error_of(read_example("phi.json"), config).find("config.json: 'qk_layernorm' is true"), std::string::npos);
  config = phi_config();
  config["hidden_size"] = "wide";
  EXPECT_NE(error_of(read_example("phi.json"), config).find("config.json: 'hidden_size'"), std::string::npos);
}

// Every value of the two examples replaced by values of other kinds: an Error or a model, nothing else.
TEST(JsonPolicy, NoValueBreaksIt) {
  int refused = 0, described = 0;
  for (const char* name : {"phi.json", "gpt2.json"}) {
    const Json sound = read_example(name);
    Json config = phi_config();
    config["model_type"] = sound.at("model_types").at(0);
    const Json flat = sound.flatten();
    for (const auto& [pointer, old] : flat.items()) {
      for (const Json& value : {Json(nullptr), Json(-1), Json(1e300), Json(true), Json("heads"), Json("=heads"),
                                Json(""), Json::array(), Json::object(), Json("((((("), Json(0)}) {
        Json policy = sound;
        policy[Json::json_pointer(pointer)] = value;
        (error_of(policy, config).empty() ? described : refused) += 1;
      }
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(described, 20);
}

TEST(JsonPolicy, HostileTextsAreRefused) {
  const Json sound = read_example("phi.json");
  const auto with = [&](const char* pointer, const std::string& text) {
    Json policy = sound;
    policy[Json::json_pointer(pointer)] = text;
    return error_of(policy, phi_config());
  };
  EXPECT_NE(with("/model/hidden_size", std::string(1000, '(')).find("nested deeper"), std::string::npos);
  EXPECT_NE(with("/model/hidden_size", std::string(1000, '-')).find("nested deeper"), std::string::npos);
  EXPECT_NE(with("/model/hidden_size", std::string(3000, '1')).find("longer than"), std::string::npos);
  EXPECT_NE(with("/model/hidden_size", "9223372036854775807 + 1").find("too large"), std::string::npos);
  EXPECT_NE(with("/model/hidden_size", "(0 - 9223372036854775807 - 1) / -1").find("too large"), std::string::npos);
  EXPECT_NE(with("/model/layers", "99999999").find("model.layers"), std::string::npos);
  Json chain = sound;
  for (int i = 0; i < 300; ++i) {
    chain["fields"][fmt::format("f{}", i)] = {{"value", fmt::format("f{}", i + 1)}};
  }
  EXPECT_NE(error_of(chain, phi_config()).find("at most 200 fields"), std::string::npos);
  Json wide = sound;
  Json& children = wide["modules"][0]["children"][1]["children"];
  for (int i = 0; i < 5000; ++i) children.push_back({{"name", fmt::format("n{}", i)}, {"class", "C"}});
  Json deep = phi_config();
  deep["num_hidden_layers"] = 4096;
  EXPECT_NE(error_of(wide, deep).find("modules in all"), std::string::npos);
  for (const char* text : {"", "[]", "{", "{\"model_types\":[\"a\"],\"model_types\":[\"b\"]}", "NaN"}) {
    EXPECT_THROW(JsonPolicy(text, "policy"), Error) << text;
  }
}

TEST(JsonPolicy, Expressions) {
  using json_policy::Value;
  const auto names = [](std::string_view name) -> std::optional<Value> {
    if (name == "five") return Value(int64_t{5});
    if (name == "half") return Value(0.5);
    if (name == "word") return Value(std::string("gelu"));
    if (name == "nothing") return Value();
    return std::nullopt;
  };
  const auto text_of = [&](std::string_view text) { return json_policy::to_text(json_policy::evaluate(text, names)); };
  const std::pair<const char*, const char*> pairs[] = {
      {"1 + 2 * 3", "7"},
      {"(1 + 2) * 3", "9"},
      {"7 / 2", "3"},
      {"-7 / 2", "-4"},
      {"-7 % 4", "1"},
      {"7 / 2.0", "3.5"},
      {"five * half", "2.5"},
      {"five > 4 && !false", "true"},
      {"five == 5.0 || false", "true"},
      {"word == 'gelu'", "true"},
      {"nothing == null", "true"},
      {"five < 5 ? 1 : five == 5 ? 2 : 3", "2"},
      {"sqrt(five - 1)", "2"},
      {"pow(2, -1)", "0.5"},
      {"min(five, 3)", "3"},
      {"10 - 2 - 3", "5"},
      {"word", "'gelu'"},
  };
  for (const auto& [text, expected] : pairs) EXPECT_EQ(text_of(text), expected) << text;
  for (const char* text : {"", "1 +", "1 2", "five(", "sqrt(", "sqrt(1", "pow(1)", "exp(1)", "word + 1", "!five",
                           "'open", "five ? 1 : 2", "1 / 0", "1 % 0", "nothing < 1", "a.b", "$"}) {
    EXPECT_THROW(json_policy::evaluate(text, names), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace graft
