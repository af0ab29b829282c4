// What an engine on a device answers, beside an engine on the CPU: on the stand-in, on the emulated kernels, and on the
// machine's own device with GRAFT_TEST_CUDA. No test here lets anything fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/device/on_device.h"

namespace graft::conformance {
namespace {

double error_of(const Matrix& result, const Matrix& expected) {
  Difference difference;
  difference.add(result, expected);
  return difference.error();
}

/// How far below the best logit of its row a chosen token's lies, at most, over the largest logit. Row i of `logits`
/// is that of the token in front of tokens[i].
double worst_choice(const Matrix& logits, size_t first_row, const Tokens& tokens) {
  double worst = 0, scale = 0;
  for (const float value : logits.values) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto row = logits.values.begin() + static_cast<std::ptrdiff_t>((first_row + i) * logits.columns);
    const float best = *std::max_element(row, row + logits.columns);
    worst = std::max(worst, static_cast<double>(best - row[tokens[i]]));
  }
  return worst / scale;
}

/// Of the logits of a prompt; a token that was chosen may be twice as far from the best. A sum in another order, and in
/// 16 bits a handful of roundings: weights that were read wrongly are off by about 1.
const std::map<std::string, double> tolerances = {
    {"float32", 1e-5}, {"float16", 2e-3}, {"bfloat16", 2e-2}, {"int8", 2e-2}, {"int4", 2e-2}};

/// With every type of weights, on models of several widths. The steps of a prompt and those of one token have kernels
/// of their own: the logits of the one, and the tokens chosen by the other, which the CPU's logits over the same tokens
/// must call the best, or as good as the best.
class EveryType : public AnyDevice {
 protected:
  void expect_answers_of_the_cpu() {
    for (const auto& [dtype, tolerance] : tolerances) {
      Engine cpu = open("cpu", true, dtype.c_str()), cuda = open("cuda", true, dtype.c_str());
      ASSERT_TRUE(cpu && cuda) << failure;
      EXPECT_LE(error_of(logits(cuda.get(), prompt), logits(cpu.get(), prompt)), tolerance) << dtype;
      const Tokens tokens = answer(cuda.get(), prompt);
      Tokens whole = prompt;
      whole.insert(whole.end(), tokens.begin(), tokens.end());
      const double choice = worst_choice(logits(cpu.get(), whole), prompt.size() - 1, tokens);
      EXPECT_LE(choice, 2 * tolerance) << dtype;
      close(cuda), close(cpu);
    }
  }
};

TEST_F(EveryType, AnswersAsOnTheCpu) { expect_answers_of_the_cpu(); }

TEST_F(EveryType, AnswersAsOnTheCpuInANarrowModel) {
  model = std::getenv("GRAFT_TEST_CASES") + std::string("/llama_gqa");
  expect_answers_of_the_cpu();
}

// DeepSpeed's captured graphs gave what was captured for somebody else, or in another type.
TEST_F(AnyDevice, EnginesOfSeveralModelsAndTypesTakeTurns) {
  const std::vector<std::pair<std::string, const char*>> all = {
      {model, "float32"},
      {std::getenv("GRAFT_TEST_CASES") + std::string("/mistral_window_one_block"), "float32"},
      {model, "bfloat16"},
      {model, "int8"}};
  const Tokens longer(40, 17);
  std::vector<Tokens> expected;
  std::vector<Matrix> rows;
  for (const auto& [path, dtype] : all) {
    model = path;
    Engine alone = open("cuda", true, dtype);
    ASSERT_TRUE(alone) << failure;
    expected.push_back(answer(alone.get(), prompt));
    rows.push_back(logits(alone.get(), longer));
    close(alone);
  }
  std::vector<Engine> engines;
  for (const auto& [path, dtype] : all) {
    model = path;
    engines.push_back(open("cuda", true, dtype));
    ASSERT_TRUE(engines.back()) << failure;
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(answer(engines[i].get(), prompt), expected[i]) << all[i].first << " " << all[i].second;
    }
    for (size_t i = all.size(); i-- > 0;) {
      EXPECT_EQ(logits(engines[i].get(), longer).values, rows[i].values) << all[i].first << " " << all[i].second;
    }
  }
  for (Engine& engine : engines) close(engine);
}

// What the caller holds is no view of what the next step writes.
TEST_F(AnyDevice, ResultsOutliveTheStepsAfterThem) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  const Request held = submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get());
  check(graft_request_wait(held.get(), timeout_ms), "wait");
  graft_tensor* made = nullptr;
  check(graft_request_tensor(held.get(), "logits", -1, &made), "logits");
  const Tensor tensor(made);
  const auto bytes = static_cast<size_t>(graft_tensor_byte_size(made));
  std::vector<char> before(bytes);
  std::memcpy(before.data(), graft_tensor_data(made), bytes);
  for (const int64_t first : {1, 2, 3}) {
    Tokens other = prompt;
    std::ranges::reverse(other);
    other.front() = first;
    const Matrix rows = logits(engine.get(), other);
    ASSERT_EQ(rows.values.size() * sizeof(float), bytes);
    EXPECT_NE(std::memcmp(rows.values.data(), before.data(), bytes), 0) << "the same answer to another prompt";
    EXPECT_EQ(answer(engine.get(), other).size(), 24u);
  }
  EXPECT_EQ(std::memcmp(graft_tensor_data(made), before.data(), bytes), 0);
  close(engine);
}

// What the host chooses with a seed, in any setting that a device has.
TEST_F(AnyDevice, ChoosesAsTheHostDoes) {
  for (const char* settings : {R"("temperature":1.3)", R"("top_k":20)", R"("top_p":0.8)", R"("min_p":0.02)",
                               R"("typical_p":0.9)", R"("temperature":0.7,"top_k":40,"top_p":0.9,"min_p":0.01)",
                               R"("repetition_penalty":1.2)", R"("top_logprobs":2)", R"("num_sequences":3)"}) {
    Engine cpu = open("cpu"), cuda = open("cuda");
    ASSERT_TRUE(cpu && cuda) << failure;
    const RequestOptions options =
        options_of(std::string(R"({"seed":11,"max_tokens":40,"ignore_eos":true,)") + settings + "}");
    const auto answers = [&](graft_engine* engine) { return answers_of(submit(engine, prompt, options.get()).get()); };
    const std::vector<Tokens> expected = answers(cpu.get());
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(expected.front().size(), 40u);
    EXPECT_EQ(answers(cuda.get()), expected) << settings;
    close(cuda), close(cpu);
  }
}

// The device is given the next step before the host has the token; what was given in vain does no harm.
TEST_F(AnyDevice, GoesAheadWhileAnswersComeAndGo) {
  Engine cpu = open("cpu");
  ASSERT_TRUE(cpu) << failure;
  const auto expected = many_answers(cpu.get());
  for (const int64_t milliseconds : {60'000, 3, 0}) {
    run_ahead_ms = milliseconds;
    Engine cuda = open("cuda");
    ASSERT_TRUE(cuda) << failure;
    for (int round = 0; round < 3; ++round)
      EXPECT_EQ(many_answers(cuda.get()), expected) << milliseconds << ", " << round;
    close(cuda);
  }
  close(cpu);
}

// The device has the blocks that a sequence comes to in the next steps; those that fall out of a window go to others
// while it is at steps that were given before.
TEST_F(AnyDevice, AnswersGoOnFromBlockToBlock) {
  context_limit = 600;
  const auto answers = [](graft_engine* engine) {
    const std::string settings = R"({"seed":3,"max_tokens":500,"ignore_eos":true,"num_sequences":2,"temperature":9})";
    return answers_of(submit(engine, prompt, options_of(settings).get()).get());
  };
  for (const std::string& path : {model, std::getenv("GRAFT_TEST_CASES") + std::string("/mistral_window_one_block")}) {
    model = path;
    Engine cpu = open("cpu"), cuda = open("cuda");
    ASSERT_TRUE(cpu && cuda) << failure;
    const std::vector<Tokens> expected = answers(cpu.get());
    ASSERT_EQ(expected.at(1).size(), 500u);
    const int64_t before = has_faults() ? faults().waits.load() : 0;
    const int64_t launched = has_faults() ? faults().graph_launches.load() : 0;
    EXPECT_EQ(answers(cuda.get()), expected) << path;
    if (has_faults()) {
      EXPECT_LT(faults().waits - before, 500 / 8) << path;
      EXPECT_EQ(faults().graph_launches - launched, 500) << path;
    }
    close(cuda), close(cpu);
  }
}

TEST_F(AnyDevice, ManySequencesShareAndCopyBlocks) {
  Engine cpu = open("cpu"), cuda = open("cuda");
  ASSERT_TRUE(cpu && cuda) << failure;
  const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_num_beams(options.get(), 3), "beams");
  check(graft_request_options_set_max_tokens(options.get(), 16), "tokens");
  EXPECT_EQ(generate(cuda.get(), prompt, options.get()).tokens, generate(cpu.get(), prompt, options.get()).tokens);
  close(cuda);
}

}  // namespace
}  // namespace graft::conformance
