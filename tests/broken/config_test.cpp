// A config.json that is damaged or asks for the impossible: the message names the file and the key.
#include "tests/broken/support.h"

namespace graft::broken {
namespace {

constexpr graft_status corrupt = GRAFT_STATUS_CORRUPT_DATA;
constexpr const char* file = "config.json";

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "{\"a\":";
  return text + "1" + std::string(static_cast<size_t>(depth), '}');
}

class BrokenConfig : public testing::TestWithParam<Case> {};
TEST_P(BrokenConfig, IsRefused) { expect_refused(GetParam()); }

// What a model is asked about must answer the same as opening it.
TEST_P(BrokenConfig, IsRefusedByInspect) {
  const Folder folder;
  Model model;
  GetParam().damage(model);
  model.write(folder.path());
  graft_string* json = nullptr;
  expect_failure(graft_engine_inspect(folder.path().c_str(), -1, nullptr, &json), GetParam().status, GetParam().texts);
  EXPECT_EQ(json, nullptr);
}

/// Each key that must be there: absent, of the wrong type, and of a value that no model has.
std::vector<Case> key_cases() {
  static const std::vector<std::string> keys = {"hidden_size", "intermediate_size", "num_hidden_layers",
                                                "num_attention_heads", "vocab_size"};
  static std::vector<std::string> names;  // the cases keep pointers to them
  names.reserve(200);
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const std::string& key, std::function<void(Model&)> damage) {
    names.push_back(key + "_" + name);
    cases.push_back({names.back().c_str(), std::move(damage), corrupt, {file, "'" + key + "'"}});
  };
  for (const std::string& key : keys) {
    add("is_missing", key, [key](Model& m) { m.config.erase(key); });
    add("is_text", key, [key](Model& m) { m.config[key] = "32"; });
    add("is_null", key, [key](Model& m) { m.config[key] = nullptr; });
    add("is_an_array", key, [key](Model& m) { m.config[key] = {32}; });
    add("is_true", key, [key](Model& m) { m.config[key] = true; });
    add("is_a_fraction", key, [key](Model& m) { m.config[key] = 4.5; });
    add("is_zero", key, [key](Model& m) { m.config[key] = 0; });
    add("is_negative", key, [key](Model& m) { m.config[key] = -4; });
    add("is_huge", key, [key](Model& m) { m.config[key] = int64_t{1} << 62; });
    add("is_2_to_the_64", key, [key](Model& m) { m.set_raw(key, "18446744073709551616"); });
  }
  for (const char* key : {"max_position_embeddings", "num_key_value_heads", "head_dim"}) {
    add("is_text", key, [key](Model& m) { m.config[key] = "8"; });
    add("is_negative", key, [key](Model& m) { m.config[key] = -8; });
    add("is_huge", key, [key](Model& m) { m.config[key] = int64_t{1} << 50; });
  }
  for (const char* key : {"rms_norm_eps", "rope_theta"}) {
    add("is_text", key, [key](Model& m) { m.config[key] = "1"; });
    add("is_negative", key, [key](Model& m) { m.config[key] = -1.0; });
  }
  add("is_a_number", "model_type", [](Model& m) { m.config["model_type"] = 1; });
  add("is_missing", "model_type", [](Model& m) { m.config.erase("model_type"); });
  add("is_text", "tie_word_embeddings", [](Model& m) { m.config["tie_word_embeddings"] = "true"; });
  add("is_text", "eos_token_id", [](Model& m) { m.config["eos_token_id"] = "</s>"; });
  add("is_below_minus_one", "eos_token_id", [](Model& m) { m.config["eos_token_id"] = -5; });
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Key, BrokenConfig, testing::ValuesIn(key_cases()), case_name);

const Case values[] = {
    {"heads_do_not_divide",
     [](Model& m) { m.config["num_key_value_heads"] = 3; },
     corrupt,
     {file, "'num_key_value_heads'", "divisor"}},
    {"more_key_heads_than_heads",
     [](Model& m) { m.config["num_key_value_heads"] = 8; },
     corrupt,
     {file, "'num_key_value_heads'"}},
    {"more_heads_than_hidden",
     [](Model& m) {
       m.config.erase("head_dim");
       m.config["num_attention_heads"] = 64;
       m.config["num_key_value_heads"] = 64;
     },
     corrupt,
     {file, "'num_attention_heads'"}},
    {"odd_head", [](Model& m) { m = Model(7); }, corrupt, {file, "head_dim"}},
    {"longrope_of_wrong_length",
     [](Model& m) {
       m.config["rope_scaling"] = {{"rope_type", "longrope"}, {"short_factor", {1, 1}}, {"long_factor", {1, 1}}};
     },
     corrupt,
     {file, "'rope_scaling.short_factor'", "(4)"}},
    {"dynamic_rope_of_two_lanes",
     [](Model& m) {
       m = Model(2);
       m.config["rope_scaling"] = {{"rope_type", "dynamic"}, {"factor", 2.0}};
     },
     corrupt,
     {file, "'head_dim'"}},
    {"unknown_activation", [](Model& m) { m.config["hidden_act"] = "gelo"; }, corrupt, {file, "'hidden_act'", "gelo"}},
    {"unknown_rope",
     [](Model& m) {
       m.config["rope_scaling"] = {{"rope_type", "round"}};
     },
     corrupt,
     {file, "'rope_scaling.rope_type'", "round"}},
    {"rope_without_factor",
     [](Model& m) {
       m.config["rope_scaling"] = {{"rope_type", "linear"}};
     },
     corrupt,
     {file, "'rope_scaling.factor'"}},
    {"rope_is_text", [](Model& m) { m.config["rope_scaling"] = "linear"; }, corrupt, {file, "'rope_scaling'"}},
    {"unknown_type",
     [](Model& m) { m.config["model_type"] = "lama"; },
     GRAFT_STATUS_UNSUPPORTED,
     {file, "'model_type'", "lama"}},
    {"nested_type_unknown",
     [](Model& m) {
       m.config = {{"model_type", "x"}, {"text_config", {{"model_type", "y"}}}};
     },
     GRAFT_STATUS_UNSUPPORTED,
     {file, "'model_type'"}},
    {"nested_is_text",
     [](Model& m) {
       m.config = {{"model_type", "x"}, {"text_config", "y"}};
     },
     corrupt,
     {file, "'text_config'"}},
    {"other_vocabulary",
     [](Model& m) { m.config["vocab_size"] = 100; },
     corrupt,
     {"model.safetensors", "model.embed_tokens.weight", "[512, 32]", "[100, 32]"}},
    {"layer_types_of_wrong_length",
     [](Model& m) {
       m.config["model_type"] = "qwen2";
       m.config["layer_types"] = {"full_attention", "full_attention"};
     },
     corrupt,
     {file, "'layer_types'", "one entry per layer (1)"}},
};
INSTANTIATE_TEST_SUITE_P(Value, BrokenConfig, testing::ValuesIn(values), case_name);

const Case texts[] = {
    {"empty", [](Model& m) { m.files[file] = ""; }, corrupt, {file, "empty"}},
    {"no_json", [](Model& m) { m.files[file] = "model: llama"; }, corrupt, {file, "not valid JSON"}},
    {"an_array", [](Model& m) { m.files[file] = "[]"; }, corrupt, {file, "object"}},
    {"null", [](Model& m) { m.files[file] = "null"; }, corrupt, {file, "object"}},
    {"cut", [](Model& m) { m.files[file] = m.config.dump().substr(0, 60); }, corrupt, {file, "not valid JSON"}},
    {"two_documents", [](Model& m) { m.files[file] = m.config.dump() + "{}"; }, corrupt, {file, "not valid JSON"}},
    {"nan_epsilon", [](Model& m) { m.set_raw("rms_norm_eps", "NaN"); }, corrupt, {file, "'rms_norm_eps'"}},
    {"beyond_double", [](Model& m) { m.set_raw("rope_theta", "1e999"); }, corrupt, {file, "1e999"}},
    {"infinite_theta", [](Model& m) { m.set_raw("rope_theta", "Infinity"); }, corrupt, {file, "'rope_theta'"}},
    {"minus_infinite_layers",
     [](Model& m) { m.set_raw("num_hidden_layers", "-Infinity"); },
     corrupt,
     {file, "'num_hidden_layers'"}},
    {"not_utf8", [](Model& m) { m.set_raw("model_type", "\"lla\xFF\""); }, corrupt, {file, "\\xFF"}},
    {"deep", [](Model& m) { m.set_raw("extra", nested(100'000)); }, GRAFT_STATUS_LIMIT_EXCEEDED, {file, "levels"}},
    {"nul_bytes", [](Model& m) { m.files[file] = std::string(300, '\0'); }, corrupt, {file, "NUL"}},
};
INSTANTIATE_TEST_SUITE_P(Text, BrokenConfig, testing::ValuesIn(texts), case_name);

}  // namespace
}  // namespace graft::broken
