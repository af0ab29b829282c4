// Steps whose tokens a device chooses: what they hold, and whether the next one follows from them alone.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/step/step_buffer.h"
#include "core/step/step_mirror.h"

namespace graft {
namespace {

constexpr kernels::TokenChoice greedy{0, 0, 1, 0, 0, 1, 0};
constexpr kernels::TokenChoice sampled{77, 0.5f, 0.9f, 0, 3, 1, 0};
constexpr StepBuffer::Wanted last{StepBuffer::Rows::last, StepBuffer::Rows::none};

struct Choices : testing::Test {
  static constexpr StepLimits limits{.tokens = 16, .sequences = 4, .logit_rows = 8, .hidden_rows = 3, .context = 16};
  CachePool pool{{{1, 1, 8, 0, 4, DType::float32}, {1, 1, 8, 0, 8, DType::float32}}, {16, 16}};
  StepTraits traits{.has_choices = true};
  StepBuffer step{limits, pool, traits};
  std::vector<std::unique_ptr<SequenceBlocks>> held;

  int64_t add(int64_t count, int64_t first, int64_t planned = 16, StepBuffer::Wanted wanted = last) {
    held.push_back(std::make_unique<SequenceBlocks>(pool));
    EXPECT_TRUE(held.back()->grow(first + count));
    const std::vector<int64_t> ids(static_cast<size_t>(count), 5);
    return step.add_sequence(ids.data(), nullptr, count, first, planned, *held.back(), wanted).logit_row;
  }
  void decode(int64_t first, const kernels::TokenChoice& choice = greedy, int64_t planned = 16) {
    step.choose(add(1, first, planned), choice);
  }
};

TEST_F(Choices, AreThereOnlyWhereTheStepHasThem) {
  EXPECT_EQ(StepBuffer(limits, pool).view().choices, nullptr);
  ASSERT_NE(step.view().choices, nullptr);
  step.clear();
  step.choose(add(1, 4), sampled);
  add(2, 1);
  EXPECT_EQ(step.view().choices[0].state, 77u);
  EXPECT_EQ(step.view().choices[1].wanted, 0);
  EXPECT_FALSE(step.chooses_all());
  step.choose(1, greedy);
  EXPECT_TRUE(step.chooses_all());
  step.clear();
  add(1, 4);
  EXPECT_EQ(step.view().choices[0].wanted, 0) << "nothing is left of an earlier step";
}

TEST_F(Choices, TravelWithTheStep) {
  step.clear();
  decode(2), decode(5, sampled);
  StepBuffer other(limits, pool, traits);
  std::vector<std::byte> bytes(static_cast<size_t>(step.packed_bytes()));
  ASSERT_LE(step.packed_bytes(), step.most_packed_bytes());
  step.pack(bytes.data());
  other.unpack(bytes.data());
  EXPECT_TRUE(other.chooses_all());
  EXPECT_EQ(other.view().choices[1].state, 77u);
  EXPECT_EQ(other.view().choices[1].top_k, 3);
  StepMirror mirror(step, {8, 8, limits.hidden_rows}, host_memory());
  mirror.update();
  EXPECT_NE(mirror.view().choices, step.view().choices);
  EXPECT_EQ(mirror.view().choices[1].state, 77u);
}

TEST_F(Choices, DecodingGoesOn) {
  step.clear();
  EXPECT_EQ(step.steps_to_go(), 0) << "an empty step";
  decode(4), decode(8, sampled);
  EXPECT_EQ(step.steps_to_go(), 3) << "to the end of a block of the first cache";
  decode(6);
  EXPECT_EQ(step.steps_to_go(), 1);
}

TEST_F(Choices, NothingGoesOnWhereMoreIsNeededThanWasChosen) {
  const auto with = [&](const auto& fill) {
    step.clear();
    held.clear();
    decode(5);
    fill();
    return step.steps_to_go();
  };
  EXPECT_EQ(with([] {}), 2);
  EXPECT_EQ(with([&] { add(1, 5); }), 0) << "a row without a choice";
  EXPECT_EQ(with([&] { add(2, 4); }), 0) << "two tokens of a prompt";
  EXPECT_EQ(with([&] { add(1, 5, 16, {}); }), 0) << "a row that nobody wants";
  EXPECT_EQ(with([&] {
              step.choose(add(1, 5, 16, {StepBuffer::Rows::last, StepBuffer::Rows::last}), greedy);
            }),
            0)
      << "a hidden row";
  EXPECT_EQ(with([&] { decode(3); }), 0) << "the next token begins a block of the first cache";
  EXPECT_EQ(with([&] { decode(7); }), 0) << "and of both";
  EXPECT_EQ(with([&] { decode(5, greedy, 8); }), 1) << "the token after the next is the last";
  EXPECT_EQ(with([&] { decode(5, greedy, 7); }), 0) << "the token that is chosen is the last";
  EXPECT_EQ(with([&] { decode(5, greedy, 6); }), 0) << "the plan ends before it";
}

// A step has the blocks of the tokens ahead, and of no sequence that was there before.
TEST_F(Choices, BlocksThatASequenceHoldsAheadAreGoneThrough) {
  traits.tokens_ahead = 8;
  StepBuffer ahead(limits, pool, traits), other(limits, pool, traits);
  const auto fill = [&](int64_t first, int64_t covered) {
    SequenceBlocks blocks(pool);
    EXPECT_TRUE(blocks.grow(covered));
    const int64_t token = 5;
    ahead.clear();
    ahead.choose(ahead.add_sequence(&token, nullptr, 1, first, 16, blocks, last).logit_row, greedy);
    return ahead.steps_to_go();
  };
  EXPECT_EQ(fill(3, 16), 8) << "covered by what the step has of both caches";
  EXPECT_EQ(fill(3, 8), 4) << "the end of the first cache's second block";
  EXPECT_EQ(fill(3, 4), 0);
  EXPECT_EQ(fill(9, 16), 5) << "the end of the plan";
  EXPECT_EQ(fill(3, 16), 8);
  std::vector<std::byte> bytes(static_cast<size_t>(ahead.packed_bytes()));
  ASSERT_LE(ahead.packed_bytes(), ahead.most_packed_bytes());
  ahead.pack(bytes.data());
  other.unpack(bytes.data());
  EXPECT_EQ(other.steps_to_go(), 8) << "another rank has them too";
}

}  // namespace
}  // namespace graft
