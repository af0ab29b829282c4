#include "core/generation/choice/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace graft {
namespace {

const std::vector<float> logits = {1.0f, 3.0f, 2.0f, 3.0f, -1.0f};

std::vector<double> frequencies(const SamplingOptions& base, int draws) {
  std::vector<double> counts(logits.size(), 0);
  Sampler sampler(base);
  for (int i = 0; i < draws; ++i) counts[sampler.choose(logits.data(), 5)] += 1.0 / draws;
  return counts;
}

TEST(Sampling, GreedyTakesTheFirstLargest) {
  EXPECT_EQ(Sampler({.greedy = true}).choose(logits.data(), 5), 1);
  EXPECT_EQ(Sampler({.temperature = 0}).choose(logits.data(), 5), 1);
}

TEST(Sampling, SeedsRepeat) {
  Sampler a({.seed = 42}), b({.seed = 42}), c({.seed = 43});
  std::vector<int64_t> first, second, third;
  for (int i = 0; i < 50; ++i) {
    first.push_back(a.choose(logits.data(), 5));
    second.push_back(b.choose(logits.data(), 5));
    third.push_back(c.choose(logits.data(), 5));
  }
  EXPECT_EQ(first, second);
  EXPECT_NE(first, third);
}

TEST(Sampling, FrequenciesFollowTheSoftmax) {
  for (double temperature : {0.5, 1.0, 2.0}) {
    const std::vector<double> seen = frequencies({.temperature = temperature, .seed = 1}, 40000);
    double total = 0;
    for (float logit : logits) total += std::exp(logit / temperature);
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(seen[i], std::exp(logits[i] / temperature) / total, 0.01) << "temperature " << temperature;
    }
  }
}

TEST(Sampling, TopKKeepsTheKLargest) {
  const std::vector<double> seen = frequencies({.top_k = 2, .seed = 1}, 2000);
  EXPECT_NEAR(seen[1], 0.5, 0.05);
  EXPECT_NEAR(seen[3], 0.5, 0.05);
  EXPECT_EQ(seen[0] + seen[2] + seen[4], 0);
}

TEST(Sampling, TopPKeepsTheSmallestSetThatReachesP) {
  // Probabilities: 0.0537, 0.3966 twice, 0.1459, 0.0073 -> 0.75 needs both largest, 0.9 the third too.
  const std::vector<double> two = frequencies({.top_p = 0.75, .seed = 1}, 2000);
  EXPECT_EQ(two[2], 0);
  const std::vector<double> three = frequencies({.top_p = 0.9, .seed = 1}, 4000);
  EXPECT_GT(three[2], 0.1);
  EXPECT_EQ(three[0], 0);
}

TEST(Sampling, StrangeLogitsDoNotEscape) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> strange = {nan, -inf, 1.0f, nan};
  const std::vector<float> all_nan = {nan, nan};
  const std::vector<float> one_inf = {0.0f, inf, 1.0f};
  for (const SamplingOptions& options : {SamplingOptions{.greedy = true}, SamplingOptions{.seed = 3},
                                         SamplingOptions{.top_k = 3, .top_p = 0.5, .seed = 3}}) {
    EXPECT_EQ(Sampler(options).choose(strange.data(), 4), 2);
    EXPECT_EQ(Sampler(options).choose(all_nan.data(), 2), -1);
    EXPECT_EQ(Sampler(options).choose(one_inf.data(), 3), 1);
  }
}

}  // namespace
}  // namespace graft
