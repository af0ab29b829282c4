#include "core/step/step_buffer.h"

#include <gtest/gtest.h>

#include <memory>

namespace graft {
namespace {

TEST(StepBuffer, LaysOutARaggedBatch) {
  CachePool pool({{1, 1, 8, 0, 4, DType::float32}}, {8});
  StepBuffer step({.tokens = 16, .sequences = 4, .logit_rows = 8, .hidden_rows = 3, .context = 16}, pool);
  SequenceBlocks first(pool), second(pool);
  ASSERT_TRUE(first.grow(3));
  ASSERT_TRUE(second.grow(6));
  const int64_t a[] = {10, 11, 12};
  const int64_t b[] = {20};
  const int64_t types[] = {0, 1, 1};
  step.clear();
  EXPECT_EQ(step.add_sequence(a, types, 3, 0, 20, first, {StepBuffer::Rows::all, StepBuffer::Rows::first}).logit_row,
            0);
  const auto place = step.add_sequence(b, nullptr, 1, 5, 0, second, {StepBuffer::Rows::last, StepBuffer::Rows::last});
  EXPECT_EQ(place.logit_row, 3);
  EXPECT_EQ(place.hidden_row, 1);

  const StepView& view = step.view();
  EXPECT_EQ(*view.token_count, 4);
  EXPECT_EQ(*view.sequence_count, 2);
  EXPECT_EQ(*view.logit_row_count, 4);
  EXPECT_EQ(*view.hidden_row_count, 2);
  EXPECT_EQ(view.hidden_rows[0], 0);
  EXPECT_EQ(view.hidden_rows[1], 3);
  EXPECT_EQ(view.token_types[2], 1);
  EXPECT_EQ(view.token_types[3], 0);
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
  StepBuffer step({.tokens = 4, .sequences = 2, .logit_rows = 3, .hidden_rows = 2, .context = 16}, pool);
  const int32_t* ids = step.view().token_ids;
  SequenceBlocks blocks(pool);
  ASSERT_TRUE(blocks.grow(4));
  const int64_t tokens[] = {1, 2, 3, 4};
  EXPECT_TRUE(step.fits(4, 3));
  EXPECT_FALSE(step.fits(5, 1));
  EXPECT_FALSE(step.fits(1, 4));
  step.clear();
  EXPECT_FALSE(step.fits(1, 1, 3));
  const auto place = step.add_sequence(tokens, nullptr, 2, 0, 4, blocks, {});
  EXPECT_EQ(place.logit_row, -1);
  EXPECT_EQ(place.hidden_row, -1);
  EXPECT_FALSE(step.fits(3, 0));
  step.clear();
  EXPECT_EQ(step.token_count(), 0);
  EXPECT_EQ(step.view().token_ids, ids);
}

TEST(StepBuffer, LeavesOutThePositionOfAnUnplacedToken) {
  CachePool pool({{1, 1, 8, 0, 4, DType::float32}}, {8});
  StepBuffer step({.tokens = 4, .sequences = 1, .logit_rows = 1, .hidden_rows = 1, .context = 4}, pool,
                  {Stage::encode_only, 7});
  SequenceBlocks blocks(pool);
  ASSERT_TRUE(blocks.grow(4));
  const int64_t tokens[] = {5, 7, 6, 7};
  step.clear();
  step.add_sequence(tokens, nullptr, 4, 0, 4, blocks, {});
  const int32_t* positions = step.view().positions;
  EXPECT_EQ(std::vector<int32_t>(positions, positions + 4), (std::vector<int32_t>{0, -1, 1, -1}));
  EXPECT_EQ(step.view().caches[0].slots[2], blocks.slot(0, 2)) << "keys lie where they lay";
  EXPECT_EQ(step.view().stage, Stage::encode_only);
}

TEST(StepBuffer, PatchesOfSeveralImagesReachOtherRanks) {
  CachePool pool({{1, 1, 8, 0, 4, DType::float32}}, {8});
  const StepLimits limits{.tokens = 8, .sequences = 4, .logit_rows = 1, .hidden_rows = 8, .context = 8};
  const StepTraits traits{.stage = Stage::encode_only, .patch_width = 2};
  StepBuffer step(limits, pool, traits), other(limits, pool, traits);
  const int64_t tokens[] = {0, 1, 1};
  const float images[2][6] = {{0, 0, 1, 2, 3, 4}, {0, 0, -1, -2, -3, -4}};
  std::vector<std::unique_ptr<SequenceBlocks>> blocks;
  step.clear();
  for (const auto& image : images) {
    blocks.push_back(std::make_unique<SequenceBlocks>(pool));
    ASSERT_TRUE(blocks.back()->grow(3));
    step.add_sequence(tokens, nullptr, 3, 0, 3, *blocks.back(), {});
    step.set_patches(image, 3);
  }
  ASSERT_LE(step.packed_bytes(), step.most_packed_bytes());
  std::vector<std::byte> bytes(static_cast<size_t>(step.packed_bytes()));
  step.pack(bytes.data());
  other.unpack(bytes.data());
  const std::vector<float> expected = {0, 0, 1, 2, 3, 4, 0, 0, -1, -2, -3, -4};
  EXPECT_EQ(std::vector<float>(step.view().patches, step.view().patches + 12), expected);
  EXPECT_EQ(std::vector<float>(other.view().patches, other.view().patches + 12), expected);
  EXPECT_EQ(other.token_count(), 6);
  EXPECT_EQ(StepBuffer(limits, pool).view().patches, nullptr);
}

}  // namespace
}  // namespace graft
