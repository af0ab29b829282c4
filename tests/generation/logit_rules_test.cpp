#include "core/generation/choice/logit_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace graft {
namespace {

const std::vector<float> logits = {2.0f, -1.0f, 0.5f, 3.0f, 0.0f};
const std::vector<int64_t> tokens = {0, 1, 0, 3, 0};  // the first two are the prompt

std::vector<float> apply(const LogitRules& rules, const std::vector<int64_t>& history = tokens, int64_t prompt = 2,
                         const std::vector<int64_t>& ends = {4}) {
  LogitProcessor processor(rules, ends);
  const float* out = processor.apply(logits.data(), 5, history, prompt);
  return {out, out + 5};
}

TEST(LogitRules, NothingAskedCopiesNothing) {
  LogitProcessor processor({}, {});
  EXPECT_EQ(processor.apply(logits.data(), 5, tokens, 2), logits.data());
}

TEST(LogitRules, RepetitionCountsEachTokenOnceInPromptAndAnswer) {
  EXPECT_EQ(apply({.repetition_penalty = 2}), (std::vector<float>{1.0f, -2.0f, 0.5f, 1.5f, 0.0f}));
}

TEST(LogitRules, PenaltiesLookAtTheWindow) {
  EXPECT_EQ(apply({.repetition_penalty = 2, .penalty_window = 2}), (std::vector<float>{1.0f, -1.0f, 0.5f, 1.5f, 0.0f}));
  EXPECT_EQ(apply({.frequency_penalty = 1, .penalty_window = 1}), (std::vector<float>{1.0f, -1.0f, 0.5f, 3.0f, 0.0f}));
}

TEST(LogitRules, FrequencyAndPresenceCountTheAnswer) {
  EXPECT_EQ(apply({.frequency_penalty = 0.5, .presence_penalty = 0.25}),
            (std::vector<float>{0.75f, -1.0f, 0.5f, 2.25f, 0.0f}));
}

TEST(LogitRules, NoNgramComesTwice) {
  // 0 was followed by 1 and by 3; the last token is 0.
  const std::vector<float> seen = apply({.no_repeat_ngram = 2});
  EXPECT_TRUE(std::isinf(seen[1]) && std::isinf(seen[3]));
  EXPECT_FALSE(std::isinf(seen[0]) || std::isinf(seen[2]) || std::isinf(seen[4]));
  const std::vector<float> single = apply({.no_repeat_ngram = 1});
  EXPECT_TRUE(std::isinf(single[0]) && std::isinf(single[1]) && std::isinf(single[3]));
  EXPECT_FALSE(std::isinf(single[2]) || std::isinf(single[4]));
  EXPECT_EQ(apply({.no_repeat_ngram = 7}), logits) << "longer than the history";
}

TEST(LogitRules, BiasBansAndAllowedTokens) {
  EXPECT_EQ(apply({.bias = {{2, 1.5}, {99, 3.0}}}), (std::vector<float>{2.0f, -1.0f, 2.0f, 3.0f, 0.0f}));
  EXPECT_TRUE(std::isinf(apply({.banned = {3, 99}})[3]));
  const std::vector<float> seen = apply({.allowed = {1, 2, 99}});
  EXPECT_TRUE(std::isinf(seen[0]) && std::isinf(seen[3]) && std::isinf(seen[4]));
  EXPECT_EQ(seen[1], -1.0f);
  EXPECT_EQ(seen[2], 0.5f);
}

TEST(LogitRules, EndTokensWaitForMinTokens) {
  EXPECT_TRUE(std::isinf(apply({.min_tokens = 4})[4]));
  EXPECT_EQ(apply({.min_tokens = 3})[4], 0.0f) << "three tokens are there";
}

TEST(LogitRules, ASecondCallStartsAfresh) {
  LogitProcessor processor({.repetition_penalty = 2, .frequency_penalty = 1, .allowed = {0, 1}}, {});
  const float* first = processor.apply(logits.data(), 5, tokens, 2);
  const std::vector<float> once(first, first + 5);
  const float* second = processor.apply(logits.data(), 5, tokens, 2);
  EXPECT_EQ(once, (std::vector<float>(second, second + 5)));
}

}  // namespace
}  // namespace graft
