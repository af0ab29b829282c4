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

std::string encoder(const std::string& model_type, const std::string& extra) {
  return R"({"model_type":")" + model_type + R"(","vocab_size":128)" + extra + "}";
}

TEST(Policy, EncoderClassesAreThoseOfTheFamily) {
  const auto head = [](const std::string& extra) { return match(encoder("bert", extra)).blueprint.config.head; };
  EXPECT_EQ(head("").kind, HeadKind::none);
  EXPECT_EQ(head(R"(,"architectures":["BertModel"])").kind, HeadKind::none);
  EXPECT_EQ(head(R"(,"architectures":["BertForMaskedLM"])").kind, HeadKind::language);
  EXPECT_EQ(head(R"(,"architectures":["BertForTokenClassification"])").kind, HeadKind::token_labels);
  EXPECT_EQ(head(R"(,"architectures":["RobertaForMaskedLM"])").kind, HeadKind::none) << "of another family";
  const Blueprint other = match(encoder("bert", R"(,"architectures":["BertForQuestionAnswering"])")).blueprint;
  EXPECT_EQ(other.config.architecture, "BertModel");
  EXPECT_EQ(other.wrapped_prefix, "bert.");
  EXPECT_EQ(other.config.output_width, 0);
  EXPECT_EQ(match(encoder("bert", R"(,"architectures":["BertForMaskedLM"])")).blueprint.config.output_width, 128);
}

TEST(Policy, EncoderLabelsAreInTheOrderOfTheirIds) {
  const std::string sequence = R"(,"architectures":["DistilBertForSequenceClassification"])";
  const auto head = [&](const std::string& extra) {
    return match(encoder("distilbert", sequence + extra)).blueprint.config.head;
  };
  EXPECT_EQ(head("").labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(head(R"(,"num_labels":1)").labels, (std::vector<std::string>{"LABEL_0"}));
  const std::string eleven =
      R"(,"id2label":{"10":"k","0":"a","1":"b","2":"c","3":"d","4":"e","5":"f","6":"g","7":"h","8":"i","9":"j"})";
  EXPECT_EQ(head(eleven).labels.back(), "k");
  EXPECT_EQ(head(eleven).labels[2], "c");
  EXPECT_FALSE(head("").multi_label);
  EXPECT_TRUE(head(R"(,"problem_type":"multi_label_classification")").multi_label);
  expect_error(encoder("distilbert", sequence + R"(,"id2label":{"0":"a","2":"c"})"), StatusCode::corrupt_data,
               "id2label.1");
  expect_error(encoder("distilbert", sequence + R"(,"id2label":{})"), StatusCode::corrupt_data, "id2label");
  expect_error(encoder("distilbert", sequence + R"(,"num_labels":0)"), StatusCode::corrupt_data, "num_labels");
}

TEST(Policy, RobertaPositionsStartBehindThePadding) {
  const ModelConfig config =
      match(encoder("xlm-roberta", R"(,"pad_token_id":3,"max_position_embeddings":20)")).blueprint.config;
  EXPECT_EQ(config.position_table, 20);
  EXPECT_EQ(config.position_offset, 4);
  EXPECT_EQ(config.max_positions, 16);
  EXPECT_EQ(config.unplaced_token, 3);
  expect_error(encoder("roberta", R"(,"pad_token_id":19,"max_position_embeddings":20)"), StatusCode::corrupt_data,
               "max_position_embeddings");
  expect_error(encoder("roberta", R"(,"pad_token_id":128)"), StatusCode::corrupt_data, "pad_token_id");
}

TEST(Policy, WhatEncodersDoNotDoIsRefused) {
  expect_error(encoder("bert", R"(,"is_decoder":true)"), StatusCode::corrupt_data, "is_decoder");
  expect_error(encoder("roberta", R"(,"add_cross_attention":true)"), StatusCode::corrupt_data, "add_cross_attention");
  expect_error(encoder("bert", R"(,"position_embedding_type":"relative_key")"), StatusCode::corrupt_data,
               "position_embedding_type");
  expect_error(encoder("bert", R"(,"num_attention_heads":7)"), StatusCode::corrupt_data, "num_attention_heads");
  expect_error(encoder("bert", R"(,"hidden_dropout_prob":"much")"), StatusCode::corrupt_data, "hidden_dropout_prob");
  expect_error(encoder("bert", R"(,"architectures":[7])"), StatusCode::corrupt_data, "architectures");
}

TEST(Policy, ClipWithProjectionIsRefused) {
  const auto clip = [](const std::string& extra) { return R"({"model_type":"clip_text_model")" + extra + "}"; };
  expect_error(clip(R"(,"architectures":["CLIPTextModelWithProjection"])"), StatusCode::unsupported,
               "CLIPTextModelWithProjection");
  expect_error(clip(R"(,"eos_token_id":[2,3])"), StatusCode::corrupt_data, "eos_token_id");
  EXPECT_EQ(match(clip(R"(,"eos_token_id":2)")).blueprint.config.pooled_token, ModelConfig::highest_token);
  EXPECT_EQ(match(clip("")).blueprint.config.pooled_token, 49407);
}

TEST(Policy, ClipVisionNeedsSquareImagesOfWholePatches) {
  const auto clip = [](const std::string& extra) { return R"({"model_type":"clip_vision_model")" + extra + "}"; };
  expect_error(clip(R"(,"architectures":["CLIPForImageClassification"])"), StatusCode::unsupported,
               "CLIPForImageClassification");
  expect_error(clip(R"(,"image_size":[224,336])"), StatusCode::corrupt_data, "image_size");
  expect_error(clip(R"(,"patch_size":225)"), StatusCode::corrupt_data, "patch_size");
  expect_error(clip(R"(,"patch_size":0)"), StatusCode::corrupt_data, "patch_size");
  expect_error(clip(R"(,"num_channels":1024,"patch_size":224)"), StatusCode::corrupt_data, "patch_size");
  expect_error(clip(R"(,"num_channels":1024,"image_size":16384)"), StatusCode::corrupt_data, "image_size");
  const ModelConfig config = match(clip("")).blueprint.config;
  EXPECT_EQ(config.position_table, 50);
  EXPECT_EQ(config.image->patch_values(), 3072);
  EXPECT_EQ(config.output_width, 768);
  const std::string projected = R"(,"architectures":["CLIPVisionModelWithProjection"])";
  EXPECT_EQ(match(clip(projected)).blueprint.config.output_width, 512);
}

TEST(Policy, EveryFileIsInTheTable) {
  std::vector<std::string> names;
  for (const Policy* policy : policies()) names.emplace_back(policy->name);
  for (const char* name :
       {"bert", "distilbert", "gpt2", "llama", "mistral", "qwen2", "qwen3", "roberta", "xlm_roberta"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

}  // namespace
}  // namespace graft
