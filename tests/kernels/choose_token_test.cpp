#include "kernels/spec/choose_token.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/spec/choice_weight.h"
#include "tests/kernels/generator.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TokenChoice everything(uint64_t state) {
  return {.state = state, .temperature = 1, .top_p = 1, .min_p = 0, .top_k = 0, .wanted = 1, .unused = 0};
}

int32_t chosen(const std::vector<float>& logits, const TokenChoice& choice) {
  const int32_t rows = 1;
  int32_t token = -77;
  const auto vocabulary = static_cast<int64_t>(logits.size());
  ChooseTokenArgs args = {&rows, 1, logits.data(), vocabulary, &choice, &token, nullptr};
  const Variant& reference = *reference_of(Op::choose_token);
  Scratch scratch(reference, &args, 1);
  args.scratch = scratch.data();
  reference.run(&args, {});
  return token;
}

/// How often each token is drawn with `choice`, from states far from each other.
std::vector<double> frequencies(const std::vector<float>& logits, TokenChoice choice, int draws) {
  std::vector<double> counts(logits.size(), 0);
  Random random(7);
  for (int i = 0; i < draws; ++i) {
    choice.state = (uint64_t{random.engine()} << 32) ^ random.engine();
    const int32_t token = chosen(logits, choice);
    if (token < 0) return {};
    counts[static_cast<size_t>(token)] += 1.0 / draws;
  }
  return counts;
}

/// Which tokens are drawn at all.
std::vector<int> support_of(const std::vector<float>& logits, const TokenChoice& choice) {
  const std::vector<double> seen = frequencies(logits, choice, 400);
  std::vector<int> tokens;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] > 0) tokens.push_back(static_cast<int>(i));
  }
  return tokens;
}

TEST(ChooseToken, GreedyTakesTheFirstLargest) {
  TokenChoice greedy = {};
  greedy.wanted = 1;
  EXPECT_EQ(chosen({1, 3, 2, 3, -1}, greedy), 1);
  EXPECT_EQ(chosen({-0.0f, 0.0f}, greedy), 0);
  EXPECT_EQ(chosen({nan, -inf, -5, nan}, greedy), 2);
  EXPECT_EQ(chosen({0, inf, 1, inf}, greedy), 1);
  EXPECT_EQ(chosen({nan, -inf}, greedy), -1);
  greedy.temperature = -1;
  EXPECT_EQ(chosen({1, 3, 2}, greedy), 1);
  greedy.temperature = nan;
  EXPECT_EQ(chosen({1, 3, 2}, greedy), 1);
  greedy.wanted = 0;
  EXPECT_EQ(chosen({1, 3, 2}, greedy), -1);
}

TEST(ChooseToken, RowsBeyondTheLastAreLeftAlone) {
  const int32_t rows = 2;
  const float logits[] = {1, 2, 2, 1, 0, 5};
  const TokenChoice greedy = {
      .state = 9, .temperature = 0, .top_p = 0, .min_p = 0, .top_k = 0, .wanted = 1, .unused = 0};
  const TokenChoice choices[] = {greedy, greedy, greedy};
  int32_t tokens[] = {-77, -77, -77};
  const ChooseTokenArgs args = {&rows, 3, logits, 2, choices, tokens, nullptr};
  reference_of(Op::choose_token)->run(&args, {});
  EXPECT_EQ(std::vector<int32_t>(tokens, tokens + 3), (std::vector<int32_t>{1, 0, -77}));
}

// SplitMix64's first numbers after 0 and 1234567, as published with it: u = 0.8833 and 0.3501.
TEST(ChooseToken, DrawsTheGeneratorsNextNumber) {
  EXPECT_EQ(choice_target(0, int64_t{1} << 53), int64_t{0xe220a8397b1dcdaf >> 11});
  EXPECT_EQ(choice_target(1234567, int64_t{1} << 53), int64_t{6457827717110365317 >> 11});
  EXPECT_EQ(chosen({2, 2, 2, 2}, everything(0)), 3);
  EXPECT_EQ(chosen({2, 2, 2, 2}, everything(1234567)), 1);
  EXPECT_EQ(chosen({2, -inf, 2, nan, 2, 2}, everything(0)), 5);
}

TEST(ChooseToken, ADrawAtTheEndOfAWeightTakesTheNextToken) {
  constexpr uint64_t one = uint64_t{1} << 53;
  EXPECT_EQ(chosen({1, 1, 1, 1}, everything(state_before(0))), 0);
  EXPECT_EQ(chosen({1, 1, 1, 1}, everything(state_before(one / 4 - 1))), 0);
  EXPECT_EQ(chosen({1, 1, 1, 1}, everything(state_before(one / 4))), 1);
  EXPECT_EQ(chosen({1, 1, 1, 1}, everything(state_before(one / 2))), 2);
  EXPECT_EQ(chosen({1, 1, -inf, 1, 1}, everything(state_before(one / 2))), 3);
  EXPECT_EQ(chosen({1, 1, 1, 1, -inf}, everything(state_before(one - 1))), 3);
}

TEST(ChooseToken, WeightsArePowersOfTwo) {
  EXPECT_EQ(choice_weight(0), int64_t{1} << 40);
  EXPECT_EQ(choice_weight(1), int64_t{1} << 39);
  EXPECT_EQ(choice_weight(40), 1);
  EXPECT_EQ(choice_weight(41), 0);
  EXPECT_EQ(choice_weight(inf), 0);
  EXPECT_EQ(choice_weight(nan), 0);
  Random random(1);
  for (int i = 0; i < 10000; ++i) {
    const float distance = static_cast<float>(random.in(0, 30000)) / 1000;
    const double exact = std::exp2(40 - static_cast<double>(distance));
    EXPECT_NEAR(static_cast<double>(choice_weight(distance)), exact, exact * 1e-7 + 0.5) << distance;
  }
  EXPECT_EQ(choice_distance(inf, inf, 1), 0);
  EXPECT_EQ(choice_distance(-3, -3, inf), 0);
}

TEST(ChooseToken, FrequenciesFollowTheSoftmax) {
  const std::vector<float> logits = {1, 3, 2, 3, -1};
  for (const float temperature : {0.5f, 1.0f, 2.0f}) {
    TokenChoice choice = everything(0);
    choice.temperature = temperature;
    const std::vector<double> seen = frequencies(logits, choice, 40000);
    double total = 0;
    for (const float logit : logits) total += std::exp(logit / temperature);
    for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(seen[i], std::exp(logits[i] / temperature) / total, 0.01);
  }
}

TEST(ChooseToken, TopKKeepsTheFirstOfEqualOnes) {
  TokenChoice choice = everything(0);
  choice.top_k = 2;
  EXPECT_EQ(support_of({1, 3, 2, 3, -1}, choice), (std::vector<int>{1, 3}));
  EXPECT_EQ(support_of({1, 2, 2, 3, 2}, choice), (std::vector<int>{1, 3}));
  EXPECT_EQ(support_of({-0.0f, 0.0f, -0.0f}, choice), (std::vector<int>{0, 1}));
  choice.top_k = 9;
  EXPECT_EQ(support_of({1, 1, -inf, nan}, choice), (std::vector<int>{0, 1}));
}

TEST(ChooseToken, TopPKeepsTheFewestThatReachIt) {
  TokenChoice choice = everything(0);
  const std::vector<float> equal = {1, 1, 1, 1};
  for (const auto& [p, count] :
       {std::pair{0.0f, 1}, {-1.0f, 1}, {0.25f, 1}, {0.26f, 2}, {0.5f, 2}, {0.51f, 3}, {0.999f, 4}}) {
    choice.top_p = p;
    EXPECT_EQ(support_of(equal, choice).size(), static_cast<size_t>(count)) << p;
  }
  // 0.0537, 0.3966 twice, 0.1459, 0.0073
  const std::vector<float> logits = {1, 3, 2, 3, -1};
  choice.top_p = 0.75f;
  EXPECT_EQ(support_of(logits, choice), (std::vector<int>{1, 3}));
  choice.top_p = 0.9f;
  EXPECT_EQ(support_of(logits, choice), (std::vector<int>{1, 2, 3}));
  // of what top_k leaves: two halves
  choice.top_p = 0.4f;
  choice.top_k = 2;
  EXPECT_EQ(support_of(logits, choice), (std::vector<int>{1}));
}

TEST(ChooseToken, MinPIsRelativeToTheLargest) {
  TokenChoice choice = everything(0);
  const std::vector<float> logits = {0, -0.6931472f, -0.1f, -4};
  choice.min_p = 0.49f;
  EXPECT_EQ(support_of(logits, choice), (std::vector<int>{0, 1, 2}));
  choice.min_p = 0.51f;
  EXPECT_EQ(support_of(logits, choice), (std::vector<int>{0, 2}));
  choice.min_p = 2;
  EXPECT_EQ(support_of({1, 2, 2}, choice), (std::vector<int>{1})) << "the first largest stays";
}

TEST(ChooseToken, StrangeNumbersDoNotEscape) {
  TokenChoice choice = everything(3);
  choice.top_k = 3;
  choice.top_p = 0.5f;
  EXPECT_EQ(chosen({nan, -inf, 1, nan}, choice), 2);
  EXPECT_EQ(chosen({nan, nan}, choice), -1);
  EXPECT_EQ(chosen({0, inf, 1}, choice), 1);
  EXPECT_EQ(chosen({5}, choice), 0);
  choice.temperature = 1e-42f;
  EXPECT_EQ(chosen({1, 1.0000001f, 1}, choice), 1);
  choice.temperature = inf;  // all are equal, but for what is beyond every distance
  EXPECT_EQ(support_of({-3, 9, 2}, choice), (std::vector<int>{1, 2}));
  EXPECT_EQ(support_of({-3, inf, 2}, choice), (std::vector<int>{1}));
}

}  // namespace
}  // namespace graft::kernels::testing
