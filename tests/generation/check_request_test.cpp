#include "core/generation/check_request.h"

#include <gtest/gtest.h>

#include "core/base/status.h"

namespace graft {
namespace {

ServiceLimits limits_of(int64_t pooled_token) {
  ServiceLimits limits;
  limits.config.architecture = "SomeTextModel";
  limits.config.encoder = true;
  limits.config.head.kind = HeadKind::none;
  limits.config.vocabulary = 16;
  limits.config.hidden_size = 4;
  limits.config.pooled_token = pooled_token;
  limits.step.tokens = limits.step.context = 8;
  limits.step.sequences = 2;
  return limits;
}

RequestSpec embed(Pooling pooling, std::vector<int64_t> prompt) {
  RequestSpec spec;
  spec.kind = RequestKind::embed;
  spec.pooling = pooling;
  spec.prompt = std::move(prompt);
  return spec;
}

void expect_refused(const RequestSpec& spec, const ServiceLimits& limits, StatusCode code, const std::string& culprit) {
  try {
    check_request(spec, limits);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_NE(std::string(error.what()).find(culprit), std::string::npos) << error.what();
  }
}

TEST(CheckRequest, TokenPoolingNeedsItsToken) {
  check_request(embed(Pooling::token, {1, 9, 2}), limits_of(9));
  check_request(embed(Pooling::mean, {1, 2}), limits_of(9));
  check_request(embed(Pooling::token, {1, 2}), limits_of(ModelConfig::highest_token));
  expect_refused(embed(Pooling::token, {1, 2}), limits_of(9), StatusCode::invalid_argument, "token 9");
}

TEST(CheckRequest, ImagesAndTextsAreForTheirOwnModels) {
  RequestSpec image = embed(Pooling::token, {0, 1, 1});
  image.patches.resize(6);
  expect_refused(image, limits_of(9), StatusCode::unsupported, "takes no images");
  ServiceLimits limits = limits_of(9);
  limits.config.image = ImageConfig{2, 1, 1};
  limits.config.head.kind = HeadKind::embedding;
  check_request(image, limits);
  expect_refused(embed(Pooling::mean, {0, 1, 1}), limits, StatusCode::unsupported, "pixel_values");
  image.patches.resize(5);
  expect_refused(image, limits, StatusCode::invalid_argument, "5 values, expected 6");
  image.kind = RequestKind::logits;
  expect_refused(image, limits, StatusCode::unsupported, "SomeTextModel");
}

}  // namespace
}  // namespace graft
