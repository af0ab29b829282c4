#include "core/policies/policy.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

PolicyMatch match(const std::string& config, const std::string& generation = "{}") {
  return match_policy(parse_json_object(config, "config.json"),
                      parse_json_object(generation, "generation_config.json"));
}

std::string llama(const std::string& extra) {
  return R"({"model_type":"llama","hidden_size":64,"intermediate_size":192,"num_hidden_layers":2,)"
         R"("num_attention_heads":4,"vocab_size":128)" +
         extra + "}";
}

void expect_error(const std::string& config, StatusCode code, const std::string& culprit) {
  try {
    match(config);
    FAIL() << "accepted: " << config;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(culprit), std::string::npos) << error.what();
  }
}

TEST(Policy, RopeReadsAlikeInBothSpellings) {
  const std::string scaling = R"("factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,)"
                              R"("original_max_position_embeddings":512)";
  const RopeConfig old_spelling =
      match(llama(R"(,"rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3",)" + scaling + "}"))
          .blueprint.config.ropes[0];
  const RopeConfig new_spelling =
      match(llama(R"(,"rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3",)" + scaling + "}"))
          .blueprint.config.ropes[0];
  for (const RopeConfig& rope : {old_spelling, new_spelling}) {
    EXPECT_EQ(rope.kind, RopeKind::llama3);
    EXPECT_EQ(rope.theta, 500000.0);
    EXPECT_EQ(rope.factor, 8.0);
    EXPECT_EQ(rope.original_max_positions, 512);
    EXPECT_EQ(rope.rotary_dim, 16);
  }
  const RopeConfig oldest = match(llama(R"(,"rope_scaling":{"type":"linear","factor":2})")).blueprint.config.ropes[0];
  EXPECT_EQ(oldest.kind, RopeKind::linear);
}

TEST(Policy, TopLevelOriginalLengthWins) {
  const RopeConfig rope =
      match(llama(R"(,"original_max_position_embeddings":64,"rope_parameters":{"rope_type":"yarn","factor":4,)"
                  R"("original_max_position_embeddings":32})"))
          .blueprint.config.ropes[0];
  EXPECT_EQ(rope.original_max_positions, 64);
}

TEST(Policy, QwenIgnoresAWindowThatIsOff) {
  const std::string base = R"({"model_type":"qwen2","hidden_size":64,"intermediate_size":128,"num_hidden_layers":3,)"
                           R"("num_attention_heads":4,"vocab_size":128,"sliding_window":16,"max_window_layers":1)";
  for (const LayerConfig& layer : match(base + "}").blueprint.config.layers) EXPECT_EQ(layer.attention.window, 0);
  const auto on = match(base + R"(,"use_sliding_window":true})").blueprint.config.layers;
  EXPECT_EQ(on[0].attention.window, 0);
  EXPECT_EQ(on[1].attention.window, 16);
  EXPECT_EQ(on[2].attention.window, 16);
}

TEST(Policy, GenerationConfigNamesTheEnds) {
  const std::string config = llama(R"(,"eos_token_id":2)");
  EXPECT_EQ(match(config).blueprint.config.generation.eos_tokens, (std::vector<int64_t>{2}));
  EXPECT_EQ(match(config, R"({"eos_token_id":[7,9]})").blueprint.config.generation.eos_tokens,
            (std::vector<int64_t>{7, 9}));
}

TEST(Policy, TextHalfOfAMultimodalConfig) {
  const PolicyMatch found =
      match(R"({"model_type":"llava","tie_word_embeddings":true,"text_config":)" + llama("") + "}");
  EXPECT_STREQ(found.policy->name, "llama");
  EXPECT_TRUE(found.blueprint.multimodal);
  EXPECT_TRUE(found.blueprint.config.tied_head);
}

TEST(Policy, BadConfigurationsNameTheKey) {
  expect_error(R"({"model_type":"no_such_model"})", StatusCode::unsupported, "no_such_model");
  expect_error(R"({"hidden_size":64})", StatusCode::corrupt_data, "model_type");
  expect_error(llama(R"(,"num_key_value_heads":3)"), StatusCode::corrupt_data, "num_key_value_heads");
  expect_error(llama(R"(,"hidden_act":"sine")"), StatusCode::corrupt_data, "hidden_act");
  expect_error(llama(R"(,"rope_scaling":{"rope_type":"spiral","factor":2})"), StatusCode::corrupt_data, "spiral");
  expect_error(llama(R"(,"rope_scaling":{"rope_type":"linear"})"), StatusCode::corrupt_data, "factor");
  expect_error(llama(R"(,"max_position_embeddings":"long")"), StatusCode::corrupt_data, "max_position_embeddings");
  expect_error(R"({"model_type":"llama","hidden_size":1e12,"vocab_size":8})", StatusCode::corrupt_data, "hidden_size");
  expect_error(R"({"model_type":"gpt2","n_embd":64,"n_head":5})", StatusCode::corrupt_data, "n_head");
  expect_error(R"({"model_type":"qwen2","hidden_size":64,"intermediate_size":1,"num_hidden_layers":2,)"
               R"("num_attention_heads":4,"vocab_size":8,"layer_types":["full_attention"]})",
               StatusCode::corrupt_data, "layer_types");
}

TEST(Policy, EveryFileIsInTheTable) {
  std::vector<std::string> names;
  for (const Policy* policy : policies()) names.emplace_back(policy->name);
  for (const char* name : {"gpt2", "llama", "mistral", "qwen2", "qwen3"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

}  // namespace
}  // namespace graft
