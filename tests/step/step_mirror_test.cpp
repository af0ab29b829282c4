#include "core/step/step_mirror.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace graft {
namespace {

struct Fixture {
  CachePool pool{{{1, 2, 8, 0, 16, DType::float32}, {1, 2, 8, 32, 16, DType::float32}}, {64, 64}};
  StepBuffer step{{64, 6, 64, 64, 200}, pool, {Stage::decode, -1, 4}};

  void fill(int64_t sequences, int64_t tokens, int64_t first) {
    step.clear();
    for (int64_t s = 0; s < sequences; ++s) {
      SequenceBlocks blocks(pool);
      ASSERT_TRUE(blocks.grow(first + tokens));
      const std::vector<int64_t> ids(static_cast<size_t>(tokens), 7 + s);
      step.add_sequence(ids.data(), ids.data(), tokens, first, first + tokens, blocks,
                        {StepBuffer::Rows::last, StepBuffer::Rows::all});
      const std::vector<float> patches(static_cast<size_t>(tokens * 4), 0.5f + static_cast<float>(s));
      step.set_patches(patches.data(), tokens);
    }
  }
};

template <class T>
void expect_copied(const T* mirrored, const T* original, int64_t count, const char* name) {
  EXPECT_NE(mirrored, original) << name;
  EXPECT_EQ(std::vector<T>(mirrored, mirrored + count), std::vector<T>(original, original + count)) << name;
}

void expect_mirrored(const StepView& mirror, const StepBuffer& step) {
  const StepView& view = step.view();
  const int64_t tokens = step.token_count(), sequences = step.sequence_count();
  expect_copied(mirror.token_count, view.token_count, 1, "token_count");
  expect_copied(mirror.sequence_count, view.sequence_count, 1, "sequence_count");
  expect_copied(mirror.logit_row_count, view.logit_row_count, 1, "logit_row_count");
  expect_copied(mirror.hidden_row_count, view.hidden_row_count, 1, "hidden_row_count");
  expect_copied(mirror.token_ids, view.token_ids, tokens, "token_ids");
  expect_copied(mirror.token_types, view.token_types, tokens, "token_types");
  expect_copied(mirror.positions, view.positions, tokens, "positions");
  expect_copied(mirror.sequence_of, view.sequence_of, tokens, "sequence_of");
  expect_copied(mirror.query_starts, view.query_starts, sequences + 1, "query_starts");
  expect_copied(mirror.context_lengths, view.context_lengths, sequences, "context_lengths");
  expect_copied(mirror.planned_lengths, view.planned_lengths, sequences, "planned_lengths");
  expect_copied(mirror.logit_rows, view.logit_rows, step.logit_row_count(), "logit_rows");
  expect_copied(mirror.hidden_rows, view.hidden_rows, step.hidden_row_count(), "hidden_rows");
  expect_copied(mirror.patches, view.patches, tokens * 4, "patches");
  for (int64_t k = 0; k < 2; ++k) {
    expect_copied(mirror.caches[k].slots, view.caches[k].slots, tokens, "slots");
    expect_copied(mirror.caches[k].block_table, view.caches[k].block_table,
                  sequences * view.caches[k].block_table_stride, "block_table");
    EXPECT_EQ(mirror.caches[k].block_table_stride, view.caches[k].block_table_stride);
  }
}

TEST(StepMirror, HoldsWhatTheBufferHolds) {
  Fixture fixture;
  StepMirror small(fixture.step, {8, 8, 8}, host_memory()), large(fixture.step, {64, 64, 64}, host_memory());
  const StepView before = small.view();
  for (const auto& [sequences, tokens, first] : {std::array<int64_t, 3>{1, 8, 0}, {6, 1, 40}, {3, 2, 17}}) {
    fixture.fill(sequences, tokens, first);
    small.update();
    expect_mirrored(small.view(), fixture.step);
  }
  fixture.fill(2, 32, 5);
  large.update();
  expect_mirrored(large.view(), fixture.step);
  EXPECT_EQ(small.view().token_ids, before.token_ids) << "addresses never change";
  EXPECT_EQ(small.view().caches[1].block_table, before.caches[1].block_table);
}

TEST(StepMirror, WhatAModelHasNotStaysNull) {
  CachePool pool({{1, 2, 8, 0, 16, DType::float32}}, {64});
  const StepBuffer step({64, 6, 64, 64, 200}, pool);
  const StepMirror mirror(step, {8, 8, 8}, host_memory());
  EXPECT_EQ(mirror.view().patches, nullptr);
  EXPECT_EQ(mirror.view().caches[1].slots, nullptr);
  EXPECT_EQ(mirror.view().caches[1].block_table, nullptr);
}

}  // namespace
}  // namespace graft
