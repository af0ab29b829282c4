// Encoders against Transformers, at the level of steps: hidden rows and logits of every case of the oracle, sequences
// of unequal lengths in one step and each alone, op by op and with fused layers. Hidden rows of decoders likewise.
#include <gtest/gtest.h>

#include "tests/engine/encoder_steps.h"

namespace graft {
namespace {

// Sequences that share a step must give what each gives alone, up to the order of summation.
constexpr double ragged_tolerance = 1e-5;
// Low precision may be this many times as far from float32 as Transformers' own low-precision run.
constexpr double low_precision_factor = 2;

class Encoder : public testing::TestWithParam<std::tuple<std::string, InjectionMode>> {};

TEST_P(Encoder, GivesWhatTransformersGives) {
  const auto& [name, injection] = GetParam();
  const EncoderCase expected = conformance::read_encoder_case(cases_folder() / name);
  ModelRunner runner = make_runner(name, injection, "float32");
  const ModelConfig& config = runner.plan().config();
  EXPECT_EQ(config.architecture, expected.architecture);
  EXPECT_EQ(config.head.labels, expected.labels);
  EXPECT_TRUE(config.encoder);
  const Rows together = run_step(runner, expected.prompts, expected.token_types, expected.patches);
  EXPECT_LT(error_of(together.hidden, expected.hidden), expected.tolerance);
  EXPECT_LT(error_of(together.logits, expected.head_rows()), expected.tolerance);
  for (size_t i = 0; i < expected.prompts.size(); ++i) {
    std::vector<Matrix> patches;
    if (!expected.patches.empty()) patches.push_back(expected.patches[i]);
    const Rows alone = run_step(runner, {expected.prompts[i]}, {expected.token_types[i]}, patches);
    EXPECT_LE(error_of(alone.hidden, {together.hidden[i]}), ragged_tolerance);
    if (together.logits.empty()) continue;
    EXPECT_LE(error_of(alone.logits, {together.logits[i]}), ragged_tolerance);
  }
}

class EncoderLowPrecision : public testing::TestWithParam<std::tuple<std::string, InjectionMode>> {};

TEST_P(EncoderLowPrecision, KeepsToTransformersOwn) {
  const auto& [name, injection] = GetParam();
  const EncoderCase expected = conformance::read_encoder_case(cases_folder() / name);
  ModelRunner runner = make_runner(name, injection, "auto");
  ASSERT_EQ(name_of(runner.plan().dtype), expected.dtype);
  const Rows rows = run_step(runner, expected.prompts, expected.token_types, expected.patches);
  EXPECT_LE(error_of(rows.hidden, expected.hidden), low_precision_factor * expected.low_precision_hidden);
  EXPECT_LE(error_of(rows.logits, expected.head_rows()), low_precision_factor * expected.low_precision_logits);
}

class DecoderHidden : public testing::TestWithParam<std::tuple<std::string, InjectionMode>> {};

TEST_P(DecoderHidden, IsTheBaseModelsLastState) {
  const auto& [name, injection] = GetParam();
  const std::filesystem::path directory = cases_folder() / name;
  const conformance::TestCase expected = conformance::read_case(directory);
  const auto matrices = conformance::read_matrices(directory / "expected.safetensors");
  std::vector<Matrix> hidden;
  for (size_t i = 0; i < expected.prompts.size(); ++i) hidden.push_back(matrices.at("hidden." + std::to_string(i)));
  ModelRunner runner = make_runner(name, injection, "float32");
  const Rows rows = run_step(runner, expected.prompts, std::vector<Tokens>(expected.prompts.size()));
  EXPECT_LT(error_of(rows.hidden, hidden), expected.tolerance);
  EXPECT_LT(error_of(rows.logits, expected.logits), expected.tolerance);
}

TEST(EncoderCases, AreThere) { EXPECT_GE(conformance::case_names(cases_folder(), true).size(), 35u); }

std::string test_name(const testing::TestParamInfo<std::tuple<std::string, InjectionMode>>& info) {
  return std::get<0>(info.param) + (std::get<1>(info.param) == InjectionMode::kernel ? "_kernel" : "_none");
}

constexpr InjectionMode modes[] = {InjectionMode::none, InjectionMode::kernel};

INSTANTIATE_TEST_SUITE_P(Cases, Encoder,
                         testing::Combine(testing::ValuesIn(conformance::case_names(cases_folder(), true)),
                                          testing::ValuesIn(modes)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Cases, EncoderLowPrecision,
                         testing::Combine(testing::Values("bert_base_bfloat16", "bert_sequence_multi_label",
                                                          "roberta_mlm_relu", "xlm_roberta_sequence_labels",
                                                          "distilbert_base_relu", "clip_vision_bfloat16",
                                                          "clip_vision_float16"),
                                          testing::ValuesIn(modes)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Cases, DecoderHidden,
                         testing::Combine(testing::Values("llama_gqa", "gpt2_plain", "qwen3_tied"),
                                          testing::ValuesIn(modes)),
                         test_name);

}  // namespace
}  // namespace graft
