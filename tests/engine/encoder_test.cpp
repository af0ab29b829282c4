// Encoders against Transformers, at the level of steps: hidden rows and logits of every case of the oracle, sequences
// of unequal lengths in one step and each alone, op by op and with fused layers. Hidden rows of decoders likewise.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/engine/info.h"
#include "core/engine/model_runner.h"
#include "tests/conformance/support/encoder_case.h"

namespace graft {
namespace {

using conformance::Difference;
using conformance::EncoderCase;
using conformance::Matrix;
using conformance::Tokens;

// Sequences that share a step must give what each gives alone, up to the order of summation.
constexpr double ragged_tolerance = 1e-5;
// Low precision may be this many times as far from float32 as Transformers' own low-precision run.
constexpr double low_precision_factor = 2;

std::filesystem::path cases_folder() {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  return folder != nullptr ? folder : "GRAFT_TEST_CASES-is-not-set";
}

struct Rows {
  std::vector<Matrix> hidden;
  std::vector<Matrix> logits;  ///< empty without a head
};

Matrix take(const float* values, int64_t first_row, int64_t rows, int64_t columns) {
  const float* begin = values + first_row * columns;
  return {rows, columns, std::vector<float>(begin, begin + rows * columns)};
}

// Runs sequences in one step; every token gives its hidden row and, where the head has rows per token, its logits.
Rows run_step(ModelRunner& runner, const std::vector<Tokens>& prompts, const std::vector<Tokens>& types) {
  using Wanted = StepBuffer::Rows;
  const ModelConfig& config = runner.plan().config();
  const bool has_head = config.head.kind != HeadKind::none;
  const bool per_sequence = config.head.kind == HeadKind::sequence_labels;
  const Wanted logits = !has_head ? Wanted::none : per_sequence ? Wanted::first : Wanted::all;
  StepBuffer& step = runner.step();
  step.clear();
  std::vector<std::unique_ptr<SequenceBlocks>> blocks;
  std::vector<StepBuffer::Place> places;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto count = static_cast<int64_t>(prompts[i].size());
    EXPECT_TRUE(step.fits(count, has_head ? (per_sequence ? 1 : count) : 0, count));
    blocks.push_back(std::make_unique<SequenceBlocks>(runner.cache()));
    EXPECT_TRUE(blocks.back()->grow(count));
    places.push_back(step.add_sequence(prompts[i].data(), types[i].empty() ? nullptr : types[i].data(), count, 0, count,
                                       *blocks.back(), {logits, Wanted::all}));
  }
  const StepOutput output = runner.run();
  EXPECT_EQ(output.logits == nullptr, !has_head);
  Rows rows;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto count = static_cast<int64_t>(prompts[i].size());
    rows.hidden.push_back(take(output.hidden, places[i].hidden_row, count, config.hidden_size));
    if (!has_head) continue;
    rows.logits.push_back(take(output.logits, places[i].logit_row, per_sequence ? 1 : count, config.output_width));
  }
  return rows;
}

double error_of(const std::vector<Matrix>& results, const std::vector<Matrix>& expected) {
  Difference difference;
  EXPECT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < std::min(results.size(), expected.size()); ++i) {
    EXPECT_EQ(results[i].rows, expected[i].rows);
    EXPECT_EQ(results[i].columns, expected[i].columns);
    if (results[i].values.size() == expected[i].values.size()) difference.add(results[i], expected[i]);
  }
  return expected.empty() ? 0 : difference.error();
}

ModelRunner make_runner(const std::string& name, InjectionMode injection, const std::string& dtype) {
  EngineOptions options;
  options.injection = injection;
  options.dtype = dtype;
  options.threads = 2;
  return ModelRunner(plan_model((cases_folder() / name).string(), options), options, nullptr);
}

class Encoder : public testing::TestWithParam<std::tuple<std::string, InjectionMode>> {};

TEST_P(Encoder, GivesWhatTransformersGives) {
  const auto& [name, injection] = GetParam();
  const EncoderCase expected = conformance::read_encoder_case(cases_folder() / name);
  ModelRunner runner = make_runner(name, injection, "float32");
  const ModelConfig& config = runner.plan().config();
  EXPECT_EQ(config.architecture, expected.architecture);
  EXPECT_EQ(config.head.labels, expected.labels);
  EXPECT_TRUE(config.encoder);
  const Rows together = run_step(runner, expected.prompts, expected.token_types);
  EXPECT_LT(error_of(together.hidden, expected.hidden), expected.tolerance);
  EXPECT_LT(error_of(together.logits, expected.logits), expected.tolerance);
  for (size_t i = 0; i < expected.prompts.size(); ++i) {
    const Rows alone = run_step(runner, {expected.prompts[i]}, {expected.token_types[i]});
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
  const Rows rows = run_step(runner, expected.prompts, expected.token_types);
  EXPECT_LE(error_of(rows.hidden, expected.hidden), low_precision_factor * expected.low_precision_hidden);
  EXPECT_LE(error_of(rows.logits, expected.logits), low_precision_factor * expected.low_precision_logits);
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

TEST(EncoderLimits, AnInputIsWholeInOneStep) {
  const ModelPlan plan = plan_model((cases_folder() / "roberta_mlm").string(), {});
  EXPECT_EQ(plan.limits.context, 96) << "98 positions, of which the first two are not for tokens";
  EXPECT_GE(plan.limits.tokens, plan.limits.context);
  EXPECT_GE(plan.limits.logit_rows, plan.limits.context);
  ASSERT_EQ(plan.cache.kinds.size(), 1u);
  EXPECT_EQ(plan.cache.kinds[0].layers, 1);
  EXPECT_EQ(plan.cache.layers.size(), 2u);
  EngineOptions options;
  options.context_limit = 97;
  EXPECT_THROW(plan_model((cases_folder() / "roberta_mlm").string(), options), Error);
}

// A case's weights under a config.json with some keys replaced, in a directory that lasts as long as this.
class Reconfigured {
 public:
  Reconfigured(const char* name, const nlohmann::json& changes) : directory_(testing::TempDir() + "graft_" + name) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    std::ifstream file(cases_folder() / name / "config.json");
    nlohmann::json config = nlohmann::json::parse(file);
    config.update(changes);
    std::ofstream(directory_ / "config.json") << config;
    std::filesystem::create_symlink(cases_folder() / name / "model.safetensors", directory_ / "model.safetensors");
  }
  ~Reconfigured() { std::filesystem::remove_all(directory_); }
  Reconfigured(const Reconfigured&) = delete;
  Reconfigured& operator=(const Reconfigured&) = delete;

  std::string path() const { return directory_.string(); }

 private:
  std::filesystem::path directory_;
};

void expect_refused(const char* name, const nlohmann::json& changes, StatusCode code, const std::string& culprit) {
  const Reconfigured model(name, changes);
  try {
    plan_model(model.path(), {});
    FAIL() << "accepted: " << changes;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(culprit), std::string::npos) << error.what();
  }
}

TEST(EncoderCheckpoint, MustHoldWhatItsClassHas) {
  using nlohmann::json;
  expect_refused("bert_base", {{"architectures", json::array({"BertForSequenceClassification"})}},
                 StatusCode::not_found, "classifier.weight");
  expect_refused("bert_base", {{"architectures", json::array({"BertForMaskedLM"})}}, StatusCode::not_found,
                 "cls.predictions.transform.dense.weight");
  expect_refused("bert_sequence_labels", {{"id2label", {{"0", "a"}}}}, StatusCode::corrupt_data, "classifier.weight");
  expect_refused("bert_base", {{"type_vocab_size", 5}}, StatusCode::corrupt_data, "token_type_embeddings");
  expect_refused("distilbert_base", {{"n_layers", 1}}, StatusCode::corrupt_data, "transformer.layer.1");
  expect_refused("roberta_base", {{"max_position_embeddings", 99}}, StatusCode::corrupt_data, "position_embeddings");
}

TEST(EncoderCheckpoint, OfAClassBeyondIsReadAsTheBaseModel) {
  const Reconfigured model("bert_token_labels",
                           {{"architectures", nlohmann::json::array({"BertForQuestionAnswering"})}});
  const EncoderCase expected = conformance::read_encoder_case(cases_folder() / "bert_token_labels");
  EngineOptions options;
  ModelRunner runner(plan_model(model.path(), options), options, nullptr);
  EXPECT_EQ(runner.plan().config().head.kind, HeadKind::none);
  const Rows rows = run_step(runner, expected.prompts, expected.token_types);
  EXPECT_LT(error_of(rows.hidden, expected.hidden), expected.tolerance);
}

TEST(EncoderInfo, NamesHeadAndLabels) {
  const EngineOptions options;
  const auto info =
      describe_plan(plan_model((cases_folder() / "bert_sequence_labels").string(), options), options, false);
  EXPECT_EQ(info.at("encoder"), true);
  EXPECT_EQ(info.at("head"), "sequence_labels");
  EXPECT_EQ(info.at("labels"), (nlohmann::json{"NEGATIVE", "NEUTRAL", "POSITIVE"}));
  EXPECT_EQ(info.at("multi_label"), false);
  const auto decoder = describe_plan(plan_model((cases_folder() / "gpt2_plain").string(), options), options, false);
  EXPECT_EQ(decoder.at("encoder"), false);
  EXPECT_EQ(decoder.at("head"), "language");
}

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
                                                          "distilbert_base_relu"),
                                          testing::ValuesIn(modes)),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Cases, DecoderHidden,
                         testing::Combine(testing::Values("llama_gqa", "gpt2_plain", "qwen3_tied"),
                                          testing::ValuesIn(modes)),
                         test_name);

}  // namespace
}  // namespace graft
