#include "core/step/step_buffer.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

TEST(StepBuffer, LaysOutARaggedBatch) {
  CachePool pool({{1, 1, 8, 0, 4, DType::float32}}, {8});
  StepBuffer step({.tokens = 16, .sequences = 4, .logit_rows = 8, .context = 16}, pool);
  SequenceBlocks first(pool), second(pool);
  ASSERT_TRUE(first.grow(3));
  ASSERT_TRUE(second.grow(6));
  const int64_t a[] = {10, 11, 12};
  const int64_t b[] = {20};
  step.clear();
  EXPECT_EQ(step.add_sequence(a, 3, 0, 20, first, StepBuffer::Logits::all), 0);
  EXPECT_EQ(step.add_sequence(b, 1, 5, 0, second, StepBuffer::Logits::last), 3);

  const StepView& view = step.view();
  EXPECT_EQ(*view.token_count, 4);
  EXPECT_EQ(*view.sequence_count, 2);
  EXPECT_EQ(*view.logit_row_count, 4);
  EXPECT_EQ(view.token_ids[3], 20);
  EXPECT_EQ(view.positions[2], 2);
  EXPECT_EQ(view.positions[3], 5);
  EXPECT_EQ(view.sequence_of[3], 1);
  EXPECT_EQ(view.query_starts[1], 3);
  EXPECT_EQ(view.query_starts[2], 4);
  EXPECT_EQ(view.context_lengths[0], 3);
  EXPECT_EQ(view.context_lengths[1], 6);
  EXPECT_EQ(view.planned_lengths[0], 20);
  EXPECT_EQ(view.planned_lengths[1], 6) << "never below the context";
  EXPECT_EQ(view.logit_rows[3], 3);
  EXPECT_EQ(view.caches[0].slots[3], second.slot(0, 5));
  EXPECT_EQ(view.caches[0].block_table[view.caches[0].block_table_stride + 1], second.table(0)[1]);
}

TEST(StepBuffer, KeepsItsAddressesAndItsLimits) {
  CachePool pool({{1, 1, 8, 0, 4, DType::float32}}, {8});
  StepBuffer step({.tokens = 4, .sequences = 2, .logit_rows = 3, .context = 16}, pool);
  const int32_t* ids = step.view().token_ids;
  SequenceBlocks blocks(pool);
  ASSERT_TRUE(blocks.grow(4));
  const int64_t tokens[] = {1, 2, 3, 4};
  EXPECT_TRUE(step.fits(4, 3));
  EXPECT_FALSE(step.fits(5, 1));
  EXPECT_FALSE(step.fits(1, 4));
  step.clear();
  step.add_sequence(tokens, 2, 0, 4, blocks, StepBuffer::Logits::none);
  EXPECT_FALSE(step.fits(3, 0));
  step.clear();
  EXPECT_EQ(step.token_count(), 0);
  EXPECT_EQ(step.view().token_ids, ids);
}

}  // namespace
}  // namespace graft
