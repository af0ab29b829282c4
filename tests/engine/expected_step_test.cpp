#include "core/engine/expected_step.h"

#include <gtest/gtest.h>

#include <vector>

namespace graft {
namespace {

constexpr kernels::TokenChoice greedy{0, 0, 1, 0, 0, 1, 0};
constexpr kernels::TokenChoice sampled{77, 0.5f, 1, 0, 0, 1, 0};
constexpr uint64_t drawn = 0x9e3779b97f4a7c15u;

struct Expected : testing::Test {
  CachePool pool{{{1, 1, 8, 0, 4, DType::float32}}, {16}};
  StepBuffer step{
      {.tokens = 16, .sequences = 4, .logit_rows = 8, .hidden_rows = 3, .context = 16}, pool, {.has_choices = true}};
  SequenceBlocks first{pool}, second{pool};
  ExpectedStep expected{step, pool};

  void SetUp() override {
    ASSERT_TRUE(first.grow(7));
    ASSERT_TRUE(second.grow(11));
  }
  void fill(int64_t a, int64_t b, int64_t position_a = 5, int64_t position_b = 9, uint64_t state = 77) {
    constexpr StepBuffer::Wanted last{StepBuffer::Rows::last, StepBuffer::Rows::none};
    step.clear();
    step.choose(step.add_sequence(&a, nullptr, 1, position_a, 16, first, last).logit_row, greedy);
    kernels::TokenChoice choice = sampled;
    choice.state = state;
    step.choose(step.add_sequence(&b, nullptr, 1, position_b, 16, second, last).logit_row, choice);
  }
};

TEST_F(Expected, IsTheStepAfterAndNoOther) {
  fill(1, 2);
  EXPECT_FALSE(expected.is(step)) << "nothing is expected yet";
  ASSERT_TRUE(step.can_go_on());
  const int32_t tokens[] = {30, 40};
  expected.expect_after(step, tokens);
  EXPECT_FALSE(expected.is(step));
  fill(30, 40, 6, 10, 77 + drawn);
  EXPECT_TRUE(expected.is(step));
  fill(31, 40, 6, 10, 77 + drawn);
  EXPECT_FALSE(expected.is(step)) << "another token";
  fill(30, 40, 6, 10, 77);
  EXPECT_FALSE(expected.is(step)) << "another draw";
  fill(30, 40, 6, 9, 77 + drawn);
  EXPECT_FALSE(expected.is(step)) << "another position";
  fill(30, 40, 6, 10, 77 + drawn);
  step.choose(0, {});
  EXPECT_FALSE(expected.is(step)) << "somebody wants the logits";
  fill(30, 40, 6, 10, 77 + drawn);
  const int64_t more = 1;
  step.add_sequence(&more, nullptr, 1, 0, 16, first, {});
  EXPECT_FALSE(expected.is(step)) << "a sequence more";
  fill(30, 40, 6, 10, 77 + drawn);
  EXPECT_TRUE(expected.is(step));
  expected.forget();
  EXPECT_FALSE(expected.is(step));
}

TEST_F(Expected, NoticesOtherBlocks) {
  fill(1, 2);
  const int32_t tokens[] = {30, 40};
  expected.expect_after(step, tokens);
  SequenceBlocks other(pool);
  ASSERT_TRUE(other.grow(7));
  const int64_t a = 30, b = 40;
  step.clear();
  constexpr StepBuffer::Wanted last{StepBuffer::Rows::last, StepBuffer::Rows::none};
  step.choose(step.add_sequence(&a, nullptr, 1, 6, 16, other, last).logit_row, greedy);
  kernels::TokenChoice choice = sampled;
  choice.state = 77 + drawn;
  step.choose(step.add_sequence(&b, nullptr, 1, 10, 16, second, last).logit_row, choice);
  EXPECT_FALSE(expected.is(step));
}

}  // namespace
}  // namespace graft
