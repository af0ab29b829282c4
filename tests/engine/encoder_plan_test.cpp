// What is decided about an encoder before its weights are loaded: limits, cache, what its checkpoint must hold, info.
#include <gtest/gtest.h>

#include "core/engine/info.h"
#include "tests/engine/encoder_steps.h"

namespace graft {
namespace {

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
  ModelRunner runner(plan_model(model.path(), options), options, make_single_communicator(), nullptr);
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

}  // namespace
}  // namespace graft
