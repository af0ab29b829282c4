// Several answers, beams, logprobs and rules through the public C interface, on the oracle's models.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

using Json = nlohmann::json;

std::string folder(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) throw std::runtime_error(std::string(variable) + " is not set");
  return value;
}

Engine open(const std::string& name, const std::string& injection = "kernel") {
  TestCase test_case;
  test_case.directory = folder("GRAFT_TEST_CASES") + "/" + name;
  test_case.context = 128;
  return open_engine(test_case, Cell{injection, 1, true, "", {}}, "float32");
}

RequestOptions options_of(const Json& json) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_json(options.get(), json.dump().c_str(), -1), "options");
  return options;
}

struct Answer {
  Tokens tokens;
  std::vector<double> logprobs;
  std::vector<std::vector<std::pair<int64_t, double>>> top;
  graft_finish_reason reason = GRAFT_FINISH_NONE;
};

/// Every answer of one request, by sequence; each must end exactly once.
std::map<int64_t, Answer> answers_of(graft_engine* engine, const Tokens& prompt, const Json& options) {
  const Request request = submit(engine, prompt, options_of(options).get());
  const Event event = make_event();
  std::map<int64_t, Answer> answers;
  for (;;) {
    const graft_status status = graft_request_next(request.get(), timeout_ms, event.get());
    if (status == GRAFT_STATUS_END) return answers;
    check(status, "next");
    Answer& answer = answers[graft_event_sequence(event.get())];
    EXPECT_EQ(answer.reason, GRAFT_FINISH_NONE) << "an event after the end";
    if (graft_event_kind(event.get()) == GRAFT_EVENT_ERROR) throw std::runtime_error(graft_event_message(event.get()));
    if (graft_event_kind(event.get()) == GRAFT_EVENT_FINISHED) {
      answer.reason = graft_event_finish_reason(event.get());
      EXPECT_EQ(graft_event_usage(event.get(), GRAFT_USAGE_COMPLETION_TOKENS),
                static_cast<int64_t>(answer.tokens.size()));
    }
    if (graft_event_kind(event.get()) != GRAFT_EVENT_TOKEN) continue;
    answer.tokens.push_back(graft_event_token(event.get()));
    answer.logprobs.push_back(graft_event_logprob(event.get()));
    int64_t ids[8], count = 0;
    double values[8];
    check(graft_event_top_logprobs(event.get(), ids, values, 8, &count), "top logprobs");
    auto& top = answer.top.emplace_back();
    for (int64_t i = 0; i < count; ++i) top.emplace_back(ids[i], values[i]);
  }
}

const Tokens prompt = {5, 9, 2, 77, 31, 8, 8, 120, 64, 3};

TEST(Beams, AsTransformers) {
  std::ifstream file(folder("GRAFT_TEST_CHOICES") + "/beams.json");
  const Json cases = Json::parse(file);
  ASSERT_GE(cases.size(), 24u);
  std::map<std::string, Engine> engines;
  for (const Json& test_case : cases) {
    const auto name = test_case["case"].get<std::string>();
    for (const char* injection : {"none", "kernel"}) {
      SCOPED_TRACE(name + " " + injection + " " + test_case["options"].dump());
      Engine& engine = engines[name + injection];
      if (!engine) engine = open(name, injection);
      const auto answers = answers_of(engine.get(), test_case["prompt"].get<Tokens>(), test_case["options"]);
      const auto expected = test_case["answers"].get<std::vector<Tokens>>();
      ASSERT_EQ(answers.size(), expected.size());
      for (const auto& [sequence, answer] : answers) {
        EXPECT_EQ(answer.tokens, expected[static_cast<size_t>(sequence)]) << "answer " << sequence;
      }
    }
  }
}

TEST(Answers, EachOfSeveralIsAsIfAlone) {
  const Engine engine = open("llama_gqa");
  const Json greedy = {{"greedy", true}, {"max_tokens", 40}, {"ignore_eos", true}};
  const Tokens alone = answers_of(engine.get(), prompt, greedy).at(0).tokens;
  ASSERT_EQ(alone.size(), 40u);
  Json several = greedy;
  several["num_sequences"] = 5;
  const auto answers = answers_of(engine.get(), prompt, several);
  ASSERT_EQ(answers.size(), 5u);
  for (const auto& [sequence, answer] : answers) EXPECT_EQ(answer.tokens, alone) << sequence;
}

TEST(Answers, SampledOnesDifferAndRepeatWithTheSeed) {
  const Engine engine = open("qwen3_gqa");
  const Json options = {{"seed", 7}, {"max_tokens", 20}, {"ignore_eos", true}, {"num_sequences", 4}};
  const auto first = answers_of(engine.get(), prompt, options);
  const auto again = answers_of(engine.get(), prompt, options);
  ASSERT_EQ(first.size(), 4u);
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(first.at(i).tokens, again.at(i).tokens);
    for (int64_t j = 0; j < i; ++j) EXPECT_NE(first.at(i).tokens, first.at(j).tokens);
  }
  Json one = options;
  one["num_sequences"] = 1;
  EXPECT_EQ(answers_of(engine.get(), prompt, one).at(0).tokens, first.at(0).tokens);
}

// A window over one block: the forks share blocks that are given back while others still hold them.
TEST(Answers, ForksOfAWindowedCacheAreIndependent) {
  const Engine engine = open("mistral_window_one_block");
  const Json options = {{"seed", 3}, {"max_tokens", 100}, {"ignore_eos", true}, {"num_sequences", 3}};
  const auto answers = answers_of(engine.get(), prompt, options);
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& [sequence, answer] : answers) {
    EXPECT_EQ(answer.tokens.size(), 100u);
  }
  const auto alone =
      answers_of(engine.get(), prompt, {{"seed", 3}, {"max_tokens", 100}, {"ignore_eos", true}, {"num_sequences", 1}});
  EXPECT_EQ(alone.at(0).tokens, answers.at(0).tokens);
}

TEST(Answers, LogprobsAreThoseOfTheLogits) {
  const Engine engine = open("llama_gqa");
  const Json options = {{"seed", 5},         {"max_tokens", 30},   {"ignore_eos", true},       {"num_sequences", 3},
                        {"top_logprobs", 4}, {"temperature", 1.5}, {"repetition_penalty", 1.2}};
  for (const auto& [sequence, answer] : answers_of(engine.get(), prompt, options)) {
    Tokens whole = prompt;
    whole.insert(whole.end(), answer.tokens.begin(), answer.tokens.end() - 1);
    const RequestOptions logits_options = make_options(GRAFT_REQUEST_LOGITS);
    const Request request = submit(engine.get(), whole, logits_options.get());
    const auto rows = static_cast<int64_t>(whole.size());
    const Matrix logits = take_logits(request.get(), rows, 128);
    for (size_t t = 0; t < answer.tokens.size(); ++t) {
      const float* row = logits.values.data() + (prompt.size() - 1 + t) * 128;
      double sum = 0;
      for (int i = 0; i < 128; ++i) sum += std::exp(static_cast<double>(row[i]));
      EXPECT_NEAR(answer.logprobs[t], row[answer.tokens[t]] - std::log(sum), 1e-4) << t;
      ASSERT_EQ(answer.top[t].size(), 4u);
      EXPECT_NEAR(answer.top[t][0].second, *std::max_element(row, row + 128) - std::log(sum), 1e-4);
      for (size_t i = 1; i < 4; ++i) EXPECT_LE(answer.top[t][i].second, answer.top[t][i - 1].second);
    }
  }
}

TEST(Answers, CacheIsFreeAfterManyForkedRequests) {
  const Engine engine = open("llama_gqa");
  for (int round = 0; round < 60; ++round) {
    const Json options = round % 2 ? Json{{"num_beams", 8}, {"max_tokens", 30}, {"ignore_eos", true}}
                                   : Json{{"num_sequences", 8}, {"max_tokens", 30}, {"seed", round}};
    const Request request = submit(engine.get(), prompt, options_of(options).get());
    if (round % 3 == 0) check(graft_request_cancel(request.get()), "cancel");
    const graft_status status = graft_request_wait(request.get(), timeout_ms);
    EXPECT_TRUE(status == GRAFT_STATUS_OK || status == GRAFT_STATUS_CANCELLED) << graft_last_error_message();
  }
  // As many tokens as the context holds are still to be had by as many sequences as the engine runs.
  const auto answers =
      answers_of(engine.get(), prompt, {{"greedy", true}, {"ignore_eos", true}, {"num_sequences", 16}});
  ASSERT_EQ(answers.size(), 16u);
  for (const auto& [sequence, answer] : answers) EXPECT_EQ(answer.tokens.size(), 128 - prompt.size());
}

TEST(Answers, WhatContradictsIsRefused) {
  const Engine engine = open("llama_gqa");
  const auto refused = [&](const Json& options, graft_status expected, const char* culprit) {
    graft_input* made = nullptr;
    check(graft_input_new(&made), "input");
    const Input input(made);
    check(graft_input_set_tokens(made, prompt.data(), static_cast<int64_t>(prompt.size())), "tokens");
    graft_request* request = nullptr;
    EXPECT_EQ(graft_request_submit(engine.get(), made, options_of(options).get(), nullptr, 0, &request), expected);
    EXPECT_NE(std::string(graft_last_error_message()).find(culprit), std::string::npos) << graft_last_error_message();
    graft_request_free(request);
  };
  refused({{"num_beams", 2}, {"num_sequences", 3}}, GRAFT_STATUS_INVALID_ARGUMENT, "num_sequences");
  refused({{"num_beams", 17}}, GRAFT_STATUS_LIMIT_EXCEEDED, "num_beams");
  refused({{"num_sequences", 17}}, GRAFT_STATUS_LIMIT_EXCEEDED, "num_sequences");
  refused({{"num_beams", 2}, {"top_logprobs", 1}}, GRAFT_STATUS_UNSUPPORTED, "top_logprobs");
  refused({{"stop", "x"}}, GRAFT_STATUS_UNSUPPORTED, "stop text");
}

TEST(Answers, RulesThatLeaveNothingFailTheRequestAlone) {
  const Engine engine = open("llama_gqa");
  Tokens all;
  for (int64_t i = 0; i < 128; ++i) all.push_back(i);
  for (const char* how : {"greedy", "sampled", "beams"}) {
    Json options = {{"banned_tokens", all}, {"max_tokens", 4}, {"greedy", std::string(how) == "greedy"}};
    if (std::string(how) == "beams") options["num_beams"] = 3;
    const Request request = submit(engine.get(), prompt, options_of(options).get());
    EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_INVALID_STATE) << how;
    EXPECT_NE(std::string(graft_request_error_message(request.get())).find("token"), std::string::npos);
  }
  EXPECT_EQ(answers_of(engine.get(), prompt, {{"max_tokens", 3}, {"ignore_eos", true}}).at(0).tokens.size(), 3u);
}

}  // namespace
}  // namespace graft::conformance
