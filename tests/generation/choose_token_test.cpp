// The op choose_token against the host's Sampler: what a device draws is what the host may draw, as often.
#include "kernels/spec/choose_token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/generation/choice/sampling.h"
#include "kernels/cpu/select.h"

namespace graft {
namespace {

using kernels::ChooseTokenArgs;
using kernels::Op;
using kernels::TokenChoice;

TokenChoice choice_of(const SamplingOptions& options, uint64_t state) {
  return {.state = state,
          .temperature = options.greedy ? 0.0f : static_cast<float>(options.temperature),
          .top_p = static_cast<float>(options.top_p),
          .min_p = static_cast<float>(options.min_p),
          .top_k = static_cast<int32_t>(options.top_k),
          .wanted = 1,
          .unused = 0};
}

int64_t chosen(const std::vector<float>& logits, const TokenChoice& choice) {
  const int32_t rows = 1;
  int32_t token = -77;
  const auto vocabulary = static_cast<int64_t>(logits.size());
  ChooseTokenArgs args = {&rows, 1, logits.data(), vocabulary, &choice, &token, nullptr};
  const kernels::Variant& variant = *kernels::select(Op::choose_token, &args);
  std::vector<int64_t> scratch(
      variant.scratch_bytes != nullptr ? static_cast<size_t>(variant.scratch_bytes(&args, 1) / 8 + 1) : 0);
  args.scratch = scratch.data();
  variant.run(&args, {});
  return token;
}

struct Random {
  std::mt19937_64 engine;
  template <class T>
  T pick(const std::vector<T>& from) {
    return from[engine() % from.size()];
  }
  std::vector<float> logits() {
    const auto count = pick<size_t>({1, 2, 20, 300});
    std::normal_distribution<float> normal(0, pick<float>({0.3f, 2, 8}));
    const bool whole = engine() % 3 == 0;  // many are equal
    std::vector<float> values(count);
    for (float& value : values) {
      value = whole ? std::round(normal(engine)) : normal(engine);
      if (engine() % 10 == 0) value = -std::numeric_limits<float>::infinity();
    }
    return values;
  }
};

TEST(ChooseToken, GreedyIsTheMostLikely) {
  Random random{std::mt19937_64(1)};
  for (int i = 0; i < 200; ++i) {
    const std::vector<float> logits = random.logits();
    EXPECT_EQ(chosen(logits, choice_of({.greedy = true}, 1)),
              most_likely(logits.data(), static_cast<int64_t>(logits.size())));
  }
}

TEST(ChooseToken, DrawsWhatTheSamplerKeeps) {
  Random random{std::mt19937_64(2)};
  for (int i = 0; i < 500; ++i) {
    SCOPED_TRACE(i);
    const std::vector<float> logits = random.logits();
    SamplingOptions options = {.seed = 0};
    options.temperature = random.pick<double>({0.25, 0.7, 1, 1.5, 8});
    options.top_k = random.pick<int64_t>({0, 1, 3, 40, 1000});
    options.top_p = random.pick<double>({1, 0.1, 0.53, 0.9, 0.98});
    options.min_p = random.pick<double>({0, 0.03, 0.4});
    Sampler sampler(options);
    const auto kept = sampler.keep(logits.data(), static_cast<int64_t>(logits.size()));
    for (int draw = 0; draw < 20; ++draw) {
      const int64_t token = chosen(logits, choice_of(options, random.engine()));
      const bool is_kept = std::ranges::any_of(kept, [&](const auto& one) { return one.token == token; });
      EXPECT_TRUE(kept.empty() ? token == -1 : is_kept) << token;
    }
  }
}

TEST(ChooseToken, DrawsAsOftenAsTheSamplerWeighs) {
  Random random{std::mt19937_64(3)};
  std::vector<float> logits(30);
  std::normal_distribution<float> normal(0, 1.5f);
  for (float& logit : logits) logit = normal(random.engine);
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 0.8, .seed = 0}, SamplingOptions{.top_k = 12, .top_p = 0.9, .seed = 0},
        SamplingOptions{.temperature = 1.3, .min_p = 0.05, .seed = 0}}) {
    constexpr int draws = 20000;
    std::vector<double> seen(logits.size());
    for (int i = 0; i < draws; ++i) seen[static_cast<size_t>(chosen(logits, choice_of(options, random.engine())))] += 1;
    Sampler sampler(options);
    double total = 0;
    std::vector<double> expected(logits.size());
    for (const auto& one : sampler.keep(logits.data(), 30)) {
      expected[static_cast<size_t>(one.token)] = one.weight;
      total += one.weight;
    }
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(seen[i] / draws, expected[i] / total, 0.015) << i;
      EXPECT_EQ(expected[i] == 0 && seen[i] > 0, false) << i;
    }
  }
}

}  // namespace
}  // namespace graft
