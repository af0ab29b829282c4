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

TEST(CheckRequest, TokenPoolingNeedsItsToken) {
  check_request(embed(Pooling::token, {1, 9, 2}), limits_of(9));
  check_request(embed(Pooling::mean, {1, 2}), limits_of(9));
  check_request(embed(Pooling::token, {1, 2}), limits_of(ModelConfig::highest_token));
  try {
    check_request(embed(Pooling::token, {1, 2}), limits_of(9));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("token 9"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft
