#include "core/generation/sentence_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/status.h"

namespace graft {
namespace {

class SentenceModels : public testing::Test {
 protected:
  SentenceModels() {
    std::string name = (std::filesystem::temp_directory_path() / "graft_sentence_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    folder_ = name;
  }
  ~SentenceModels() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
  }
  SentenceModel read() const { return read_sentence_model(folder_.string()); }
  void refused(StatusCode code, const std::string& culprit) const {
    try {
      read();
      FAIL() << "read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(culprit), std::string::npos) << error.what();
    }
  }

  std::filesystem::path folder_;
};

constexpr const char* modules = R"([
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])";

TEST_F(SentenceModels, WithoutModulesEverythingIsTheDefault) {
  const SentenceModel model = read();
  EXPECT_EQ(model.pooling, Pooling::mean);
  EXPECT_FALSE(model.normalize);
  EXPECT_EQ(model.max_tokens, 0);
  EXPECT_EQ(model.default_prompt, "");
}

TEST_F(SentenceModels, FilesSayPoolingLengthAndPrompts) {
  write("modules.json", modules);
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token": false, "pooling_mode_lasttoken": true})");
  write("sentence_bert_config.json", R"({"max_seq_length": 128, "do_lower_case": false})");
  write("config_sentence_transformers.json",
        R"({"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "passage"})");
  const SentenceModel model = read();
  EXPECT_EQ(model.pooling, Pooling::last);
  EXPECT_TRUE(model.normalize);
  EXPECT_EQ(model.max_tokens, 128);
  EXPECT_EQ(model.default_prompt, "passage: ");
  EXPECT_EQ(model.prompts.at("query"), "query: ");
}

TEST_F(SentenceModels, EveryPoolingHasBothSpellings) {
  write("modules.json", modules);
  const std::tuple<const char*, const char*, Pooling> spellings[] = {
      {"pooling_mode_cls_token", "cls", Pooling::cls},
      {"pooling_mode_mean_tokens", "mean", Pooling::mean},
      {"pooling_mode_max_tokens", "max", Pooling::max},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::mean_sqrt_len},
      {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::weighted_mean},
      {"pooling_mode_lasttoken", "lasttoken", Pooling::last}};
  for (const auto& [key, mode, pooling] : spellings) {
    write("1_Pooling/config.json", std::string("{\"") + key + "\": true}");
    EXPECT_EQ(read().pooling, pooling) << key;
    write("1_Pooling/config.json", std::string("{\"pooling_mode\": \"") + mode + "\"}");
    EXPECT_EQ(read().pooling, pooling) << mode;
  }
}

TEST_F(SentenceModels, WhatIsNotThereIsNamed) {
  write("modules.json", R"([{"path": "3_Dense", "type": "sentence_transformers.models.Dense"}])");
  refused(StatusCode::unsupported, "models.Dense");
  write("modules.json", modules);
  refused(StatusCode::not_found, "1_Pooling");
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})");
  refused(StatusCode::unsupported, "more than one pooling");
  write("1_Pooling/config.json", R"({"pooling_mode": "attention"})");
  refused(StatusCode::unsupported, "attention");
  write("1_Pooling/config.json", "{}");
  refused(StatusCode::corrupt_data, "no pooling mode");
  write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  write("config_sentence_transformers.json", R"({"default_prompt_name": "query"})");
  refused(StatusCode::corrupt_data, "default_prompt_name");
  write("config_sentence_transformers.json", "{}");
  write("sentence_bert_config.json", R"({"max_seq_length": "long"})");
  refused(StatusCode::corrupt_data, "max_seq_length");
  write("modules.json", "{");
  refused(StatusCode::corrupt_data, "modules.json");
}

}  // namespace
}  // namespace graft
