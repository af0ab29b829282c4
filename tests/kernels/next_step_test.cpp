#include "kernels/spec/next_step.h"

#include <gtest/gtest.h>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

using Numbers = std::vector<int32_t>;

TEST(NextStep, ReferenceByHand) {
  const int32_t rows = 4;
  const Numbers tokens = {7, -1, 0, 12, 5};
  // Blocks of 4: rows are at 3 and 4 keys (the last of a block, the first of the next), beyond the table, in a block
  // that they do not have.
  const Numbers table = {5, 9, 6, 2, 1, 1, 3, -1, 8, 8}, window = {4, 3, 2, 1, 0};
  Numbers token_ids(5, -77), positions = {3, 14, 8, 4, 1}, lengths = {3, 4, 8, 5, 1}, slots(5, -77), own(5, -77);
  std::vector<TokenChoice> choices(5);
  for (TokenChoice& choice : choices) choice = {100, 1, 1, 0, 0, 1, 0};
  choices[1].temperature = 0;
  choices[2].wanted = 0;
  choices[3].temperature = -2;
  NextStepArgs args = {};
  args.rows = &rows;
  args.capacity = 5;
  args.tokens = tokens.data();
  args.token_ids = token_ids.data();
  args.positions = positions.data();
  args.context_lengths = lengths.data();
  args.choices = choices.data();
  args.caches = 2;
  args.cache[0] = {slots.data(), table.data(), 2, 4};
  args.cache[1] = {own.data(), window.data(), 1, 16};
  reference_of(Op::next_step)->run(&args, {});
  EXPECT_EQ(token_ids, (Numbers{7, 0, 0, 12, -77}));
  EXPECT_EQ(positions, (Numbers{4, 15, 9, 5, 1}));
  EXPECT_EQ(lengths, (Numbers{4, 5, 9, 6, 1}));
  EXPECT_EQ(slots, (Numbers{5 * 4 + 3, 2 * 4, -1, -1, -77}));
  EXPECT_EQ(own, (Numbers{4 * 16 + 3, 3 * 16 + 4, 2 * 16 + 8, 16 + 5, -77}));
  EXPECT_EQ(choices[0].state, 100 + 0x9e3779b97f4a7c15u);
  for (size_t r = 1; r < 5; ++r) EXPECT_EQ(choices[r].state, 100u) << r;
}

}  // namespace
}  // namespace graft::kernels::testing
