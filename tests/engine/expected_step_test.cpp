#include "core/engine/expected_step.h"

#include <gtest/gtest.h>

#include <vector>

namespace graft {
namespace {

constexpr kernels::TokenChoice greedy{0, 0, 1, 0, 0, 1, 0};
constexpr kernels::TokenChoice sampled{77, 0.5f, 1, 0, 0, 1, 0};
constexpr uint64_t drawn = 0x9e3779b97f4a7c15u;

constexpr StepBuffer::Wanted last{StepBuffer::Rows::last, StepBuffer::Rows::none};

struct Expected : testing::Test {
  CachePool pool{{{1, 1, 8, 6, 4, DType::float32}}, {16}};
  StepBuffer step{{.tokens = 16, .sequences = 4, .logit_rows = 8, .hidden_rows = 3, .context = 16},
                  pool,
                  {.has_choices = true, .tokens_ahead = 4}};
  SequenceBlocks first{pool}, second{pool};
  ExpectedStep expected{step, pool};

  void SetUp() override {
    ASSERT_TRUE(first.grow(7));
    ASSERT_TRUE(second.grow(11));
  }
  void add(int64_t token, int64_t position, const SequenceBlocks& blocks, kernels::TokenChoice choice,
           uint64_t state = 0) {
    if (state != 0) choice.state = state;
    step.choose(step.add_sequence(&token, nullptr, 1, position, 16, blocks, last).logit_row, choice);
  }
  void fill(int64_t a, int64_t b, int64_t position_a = 5, int64_t position_b = 9, uint64_t state = 77) {
    step.clear();
    add(a, position_a, first, greedy);
    add(b, position_b, second, sampled, state);
  }
  void go_on(int32_t a, int32_t b) {
    const int32_t tokens[] = {a, b};
    expected.go_on(tokens);
  }
};

TEST_F(Expected, IsTheStepAfterAndNoOther) {
  fill(1, 2);
  EXPECT_FALSE(expected.has(step)) << "nothing is expected yet";
  ASSERT_GT(step.steps_to_go(), 0);
  expected.follow(step);
  EXPECT_FALSE(expected.has(step)) << "nor before its tokens are known";
  go_on(30, 40);
  EXPECT_FALSE(expected.has(step));
  fill(30, 40, 6, 10, 77 + drawn);
  EXPECT_TRUE(expected.has(step));
  fill(31, 40, 6, 10, 77 + drawn);
  EXPECT_FALSE(expected.has(step)) << "another token";
  fill(30, 40, 6, 10, 77);
  EXPECT_FALSE(expected.has(step)) << "another draw";
  fill(30, 40, 6, 9, 77 + drawn);
  EXPECT_FALSE(expected.has(step)) << "another position";
  fill(30, 40, 6, 10, 77 + drawn);
  step.choose(0, {});
  EXPECT_FALSE(expected.has(step)) << "somebody wants the logits";
  fill(30, 40, 6, 10, 77 + drawn);
  const int64_t more = 1;
  step.add_sequence(&more, nullptr, 1, 0, 16, first, {});
  EXPECT_FALSE(expected.has(step)) << "a sequence more";
  fill(30, 40, 6, 10, 77 + drawn);
  EXPECT_TRUE(expected.has(step));
  EXPECT_EQ(expected.rows(), (std::vector<int32_t>{0, 1}));
  expected.forget();
  EXPECT_FALSE(expected.has(step));
}

TEST_F(Expected, StepsFollowStepsWithoutTheBuffer) {
  fill(1, 2);
  expected.follow(step);
  go_on(30, 40);
  go_on(31, 41);
  fill(31, 41, 7, 11, 77 + 2 * drawn);
  EXPECT_TRUE(expected.has(step));
}

// Whoever goes on has its row; who comes has none.
TEST_F(Expected, SequencesMayHaveEnded) {
  SequenceBlocks third(pool);
  ASSERT_TRUE(third.grow(8));
  fill(1, 2);
  add(3, 4, third, greedy);
  expected.follow(step);
  const int32_t tokens[] = {30, 40, 50};
  expected.go_on(tokens);
  const auto rows_of = [&](const auto& put) {
    step.clear();
    put();
    return expected.has(step) ? expected.rows() : std::vector<int32_t>{};
  };
  const auto put_first = [&] { add(30, 6, first, greedy); };
  const auto put_third = [&] { add(50, 5, third, greedy); };
  EXPECT_EQ(rows_of([&] { put_first(), put_third(); }), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(rows_of(put_third), (std::vector<int32_t>{2}));
  EXPECT_EQ(rows_of([&] { put_third(), put_first(); }), (std::vector<int32_t>{2, 0})) << "in another order";
  EXPECT_EQ(rows_of([&] { put_first(), put_first(); }), std::vector<int32_t>{}) << "a row counts once";
  EXPECT_EQ(rows_of([] {}), std::vector<int32_t>{}) << "an empty step";
  EXPECT_EQ(rows_of(put_first), (std::vector<int32_t>{0}));
  step.choose(0, sampled);
  EXPECT_FALSE(expected.has(step)) << "an answer that is no longer true";
  EXPECT_EQ(expected.row_count(), 3);
}

TEST_F(Expected, NoticesOtherBlocks) {
  fill(1, 2);
  expected.follow(step);
  go_on(30, 40);
  SequenceBlocks other(pool);
  ASSERT_TRUE(other.grow(7));
  step.clear();
  add(30, 6, other, greedy);
  add(40, 10, second, sampled, 77 + drawn);
  EXPECT_FALSE(expected.has(step));
}

TEST_F(Expected, BlocksThatCameOrFellOutOfTheWindowChangeNothing) {
  fill(1, 2);
  expected.follow(step);
  go_on(30, 40);
  ASSERT_TRUE(first.grow(12));
  second.drop_before(10);
  ASSERT_EQ(second.table(0)[0], -1);
  fill(30, 40, 6, 10, 77 + drawn);
  EXPECT_TRUE(expected.has(step));
}

}  // namespace
}  // namespace graft
