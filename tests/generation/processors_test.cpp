// Token choice against Transformers' logits processors: what tests/generation/make_choices.py wrote.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/generation/choice/logit_rules.h"
#include "core/generation/choice/sampling.h"

namespace graft {
namespace {

using Json = nlohmann::json;

Json read_cases() {
  const char* folder = std::getenv("GRAFT_TEST_CHOICES");
  if (folder == nullptr)
    throw std::runtime_error("GRAFT_TEST_CHOICES is not set: run tests/generation/make_choices.py");
  std::ifstream file(std::string(folder) + "/processors.json");
  return Json::parse(file);
}

SamplingOptions sampling_of(const Json& options) {
  return {.temperature = options.value("temperature", 1.0),
          .top_k = options.value("top_k", int64_t{0}),
          .top_p = options.value("top_p", 1.0),
          .min_p = options.value("min_p", 0.0),
          .typical_p = options.value("typical_p", 1.0)};
}

LogitRules rules_of(const Json& options) {
  LogitRules rules{.repetition_penalty = options.value("repetition_penalty", 1.0),
                   .no_repeat_ngram = options.value("no_repeat_ngram", int64_t{0}),
                   .min_tokens = options.value("min_tokens", int64_t{0}),
                   .allowed = options.value("allowed_tokens", std::vector<int64_t>{}),
                   .banned = options.value("banned_tokens", std::vector<int64_t>{})};
  const Json bias = options.value("logit_bias", Json::object());
  for (const auto& [token, value] : bias.items()) {
    rules.bias.emplace_back(std::stoll(token), value.get<double>());
  }
  return rules;
}

// The same tokens are left, with the same logits.
TEST(Processors, AsTransformers) {
  const Json cases = read_cases();
  ASSERT_GE(cases.size(), 90u);
  for (const Json& test_case : cases) {
    SCOPED_TRACE(test_case["name"].get<std::string>());
    const auto logits = test_case["logits"].get<std::vector<float>>();
    const auto tokens = test_case["tokens"].get<std::vector<int64_t>>();
    const auto ends = test_case["ends"].get<std::vector<int64_t>>();
    const auto vocabulary = static_cast<int64_t>(logits.size());
    LogitProcessor rules(rules_of(test_case["options"]), ends);
    Sampler sampler(sampling_of(test_case["options"]));
    std::map<int64_t, double> kept;
    const float* ruled = rules.apply(logits.data(), vocabulary, tokens, test_case["prompt"].get<int64_t>());
    for (const Sampler::Candidate& candidate : sampler.keep(ruled, vocabulary)) kept[candidate.token] = candidate.logit;
    size_t expected = 0;
    for (int64_t token = 0; token < vocabulary; ++token) {
      const Json& value = test_case["expected"][static_cast<size_t>(token)];
      if (value.is_null()) {
        EXPECT_FALSE(kept.contains(token)) << "token " << token;
        continue;
      }
      ++expected;
      ASSERT_TRUE(kept.contains(token)) << "token " << token;
      EXPECT_NEAR(kept[token], value.get<double>(), 1e-5) << "token " << token;
    }
    EXPECT_EQ(kept.size(), expected);
  }
}

}  // namespace
}  // namespace graft
