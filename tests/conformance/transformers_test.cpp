// Graft against Transformers: every case of the oracle (tests/oracle), op by op and with fused layers, through the
// public C interface alone. GRAFT_TEST_CASES names the folder that make_cases.py filled. One suite for each case,
// cell (injection, ranks, replay) and type, for example "llama_yarn/kernel_tp2" or "llama_bfloat16/kernel_bfloat16".
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

// Prompts worked on together must give what each gives alone, up to the order of summation.
constexpr double ragged_tolerance = 1e-5;
// Low precision may be this many times as far from float32 as Transformers' own low-precision run.
constexpr double low_precision_factor = 2;

struct Variant {
  std::filesystem::path directory;
  Cell cell;
  std::string dtype;

  friend bool operator==(const Variant&, const Variant&) = default;
};

/// The case and its engine, shared by the tests of one suite.
struct Opened {
  Variant variant;
  TestCase test_case;
  Engine engine;
};

class Conformance : public testing::Test {
 public:
  using Body = void (*)(const Opened& opened);

  Conformance(Variant variant, Body body) : variant_(std::move(variant)), body_(body) {}

  static void TearDownTestSuite() { opened_.reset(); }

  void TestBody() override {
    try {
      if (!opened_ || !(opened_->variant == variant_)) {
        opened_.reset();
        TestCase test_case = read_case(variant_.directory);
        Engine engine = open_engine(test_case, variant_.cell, variant_.dtype);
        opened_ = std::make_unique<Opened>(Opened{variant_, std::move(test_case), std::move(engine)});
      }
      body_(*opened_);
    } catch (const std::exception& error) {
      FAIL() << error.what();
    }
  }

 private:
  static inline std::unique_ptr<Opened> opened_;
  Variant variant_;
  Body body_;
};

Matrix logits_alone(const Opened& opened, size_t prompt) {
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  const Tokens& tokens = opened.test_case.prompts[prompt];
  const Request request = submit(opened.engine.get(), tokens, options.get());
  return take_logits(request.get(), static_cast<int64_t>(tokens.size()), opened.test_case.vocab_size);
}

std::vector<Matrix> logits_together(const Opened& opened) {
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  std::vector<Request> requests;
  for (const Tokens& prompt : opened.test_case.prompts) {
    requests.push_back(submit(opened.engine.get(), prompt, options.get()));
  }
  std::vector<Matrix> logits;
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto rows = static_cast<int64_t>(opened.test_case.prompts[i].size());
    logits.push_back(take_logits(requests[i].get(), rows, opened.test_case.vocab_size));
  }
  return logits;
}

void logits(const Opened& opened) {
  const TestCase& test_case = opened.test_case;
  Difference all;
  for (size_t i = 0; i < test_case.prompts.size(); ++i) {
    const Matrix result = logits_alone(opened, i);
    Difference difference;
    difference.add(result, test_case.logits[i]);
    all.add(result, test_case.logits[i]);
    if (opened.variant.dtype == "float32") {
      EXPECT_LT(difference.error(), test_case.tolerance) << "prompt of " << test_case.prompts[i].size() << " tokens";
    }
  }
  testing::Test::RecordProperty("error", std::to_string(all.error()));
  if (opened.variant.dtype != "float32") {
    ASSERT_GT(test_case.low_precision_error, 0);
    EXPECT_LE(all.error(), low_precision_factor * test_case.low_precision_error);
  }
}

void ragged(const Opened& opened) {
  const TestCase& test_case = opened.test_case;
  const std::vector<Matrix> together = logits_together(opened);
  for (size_t i = 0; i < together.size(); ++i) {
    Difference from_alone;
    from_alone.add(together[i], logits_alone(opened, i));
    EXPECT_LE(from_alone.error(), ragged_tolerance) << "prompt of " << test_case.prompts[i].size() << " tokens";
    Difference from_oracle;
    from_oracle.add(together[i], test_case.logits[i]);
    EXPECT_LT(from_oracle.error(), test_case.tolerance) << "prompt of " << test_case.prompts[i].size() << " tokens";
  }
}

RequestOptions greedy_options(int64_t max_tokens, bool ignore_eos) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_greedy(options.get(), 1), "greedy");
  check(graft_request_options_set_max_tokens(options.get(), max_tokens), "max tokens");
  check(graft_request_options_set_ignore_eos(options.get(), ignore_eos ? 1 : 0), "ignore eos");
  return options;
}

/// Tokens must agree up to the first step where the oracle itself is not sure; that must leave at least one step.
void expect_continuation(const Generated& generated, const Tokens& prompt, const Continuation& expected, double gap) {
  const size_t count = expected.tokens.size();
  ASSERT_EQ(generated.tokens.size(), count) << "prompt of " << prompt.size() << " tokens";
  EXPECT_EQ(generated.reason, GRAFT_FINISH_LENGTH);
  EXPECT_EQ(generated.prompt_tokens, static_cast<int64_t>(prompt.size()));
  EXPECT_EQ(generated.completion_tokens, static_cast<int64_t>(count));
  size_t decided = 0;
  while (decided < count && expected.gaps[decided] >= gap) ++decided;
  ASSERT_GT(decided, 0U) << "the error leaves no step to compare";
  for (size_t i = 0; i < decided; ++i) {
    ASSERT_EQ(generated.tokens[i], expected.tokens[i]) << "prompt of " << prompt.size() << " tokens, step " << i;
  }
}

void greedy(const Opened& opened) {
  const TestCase& test_case = opened.test_case;
  std::vector<Tokens> prompts;
  std::vector<Continuation> expected;
  std::vector<double> gaps;
  for (size_t i = 0; i < test_case.prompts.size(); ++i) {
    if (!test_case.greedy[i]) continue;
    Difference difference;
    difference.add(logits_alone(opened, i), test_case.logits[i]);
    prompts.push_back(test_case.prompts[i]);
    expected.push_back(*test_case.greedy[i]);
    gaps.push_back(difference.undecided_gap());
  }
  ASSERT_FALSE(prompts.empty());
  const RequestOptions options = greedy_options(static_cast<int64_t>(expected[0].tokens.size()), true);
  for (size_t i = 0; i < prompts.size(); ++i) {
    expect_continuation(generate(opened.engine.get(), prompts[i], options.get()), prompts[i], expected[i], gaps[i]);
  }
  const auto together = generate_together(opened.engine.get(), prompts, options.get());
  for (size_t i = 0; i < prompts.size(); ++i) {
    SCOPED_TRACE("all prompts at once");
    expect_continuation(together[i], prompts[i], expected[i], gaps[i]);
  }
}

void stop(const Opened& opened) {
  const TestCase& test_case = opened.test_case;
  const StopRule& rule = *test_case.stop;
  const Tokens& expected = test_case.greedy.at(rule.prompt)->tokens;
  const RequestOptions options = greedy_options(static_cast<int64_t>(expected.size()), false);
  Generated generated = generate(opened.engine.get(), test_case.prompts[rule.prompt], options.get());
  EXPECT_EQ(generated.reason, GRAFT_FINISH_STOP);
  // The end token itself may be reported or not.
  if (!generated.tokens.empty() && generated.tokens.back() == expected.at(static_cast<size_t>(rule.length))) {
    generated.tokens.pop_back();
  }
  EXPECT_EQ(generated.tokens, Tokens(expected.begin(), expected.begin() + rule.length));
}

void add(const std::string& suite, const char* test, const Variant& variant, Conformance::Body body) {
  testing::RegisterTest(suite.c_str(), test, nullptr, nullptr, __FILE__, __LINE__,
                        [variant, body]() -> Conformance* { return new Conformance(variant, body); });
}

void add_case(const std::filesystem::path& directory) {
  const TestCase test_case = read_case(directory);
  for (const Cell& cell : cells_of(directory)) {
    const Variant exact{directory, cell, "float32"};
    const std::string suite = test_case.name + "/" + cell.name();
    add(suite, "logits", exact, logits);
    add(suite, "ragged", exact, ragged);
    add(suite, "greedy", exact, greedy);
    if (test_case.stop) add(suite, "stop", exact, stop);
    if (test_case.dtype != "float32") {
      add(suite + "_" + test_case.dtype, "logits", Variant{directory, cell, test_case.dtype}, logits);
    }
  }
}

/// A test that fails with this text: without cases nothing was compared.
class Missing : public testing::Test {
 public:
  explicit Missing(std::string text) : text_(std::move(text)) {}
  void TestBody() override { FAIL() << text_; }

 private:
  std::string text_;
};

void add_missing(const std::string& text) {
  testing::RegisterTest("oracle", "cases", nullptr, nullptr, __FILE__, __LINE__,
                        [text]() -> Missing* { return new Missing(text); });
}

bool add_all() {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  if (folder == nullptr || *folder == '\0') {
    add_missing("GRAFT_TEST_CASES is not set; it must name the folder filled by tests/oracle/make_cases.py");
    return false;
  }
  try {
    const std::vector<std::string> names = case_names(folder);
    if (names.empty()) add_missing(std::string(folder) + ": no case found; run tests/oracle/make_cases.py on it");
    for (const std::string& name : names) add_case(std::filesystem::path(folder) / name);
  } catch (const std::exception& error) {
    add_missing(error.what());
  }
  return true;
}

[[maybe_unused]] const bool registered = add_all();

}  // namespace
}  // namespace graft::conformance
