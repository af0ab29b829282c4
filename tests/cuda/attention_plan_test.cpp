#include "kernels/cuda/attention_plan.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

#include "kernels/cuda/grid_plan.h"

namespace graft::kernels::cuda {
namespace {

AttentionShape random_shape(std::mt19937& engine) {
  const auto in = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(engine); };
  AttentionShape shape = {};
  shape.capacity = in(0, 1) == 0 ? in(1, 32) : in(1, 8192);
  shape.kv_heads = static_cast<int32_t>(in(1, 16));
  shape.heads = shape.kv_heads * static_cast<int32_t>(in(1, 16));
  shape.head_dim = static_cast<int32_t>(in(0, 1) == 0 ? 8 * in(1, 32) : in(1, widest_head));
  shape.most_context = in(0, 1) == 0 ? in(1, 600) : in(1, 1 << 20);
  shape.half_cache = in(0, 3) != 0;
  shape.aligned = in(0, 7) != 0;
  shape.block_size = static_cast<int32_t>(in(1, 256));
  return shape;
}

TEST(AttentionPlan, RandomShapes) {
  std::mt19937 engine(7);
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE("shape " + std::to_string(i));
    const AttentionShape shape = random_shape(engine);
    const int32_t multiprocessors = static_cast<int32_t>(engine() % 160) + 1;
    const AttentionPlan plan = attention_plan(shape, multiprocessors);

    EXPECT_GE(plan.rule.max_splits, 1);
    EXPECT_LE(plan.rule.max_splits, most_splits);
    EXPECT_LE(int64_t{plan.rule.max_splits - 1} * shortest_split, shape.most_context);
    EXPECT_LE(plan.rule.split_rows, shape.capacity);
    EXPECT_LE(plan.rule.split_rows, split_row_limit);

    EXPECT_EQ(plan.fragments, shape.half_cache && shape.aligned && shape.head_dim % 8 == 0 && shape.head_dim <= 256);
    EXPECT_TRUE(!plan.fragments || plan.width >= shape.head_dim);
    EXPECT_EQ(plan.tile_rows == packed_tile_rows, plan.fragments && shape.heads / shape.kv_heads <= packed_tile_rows);
    for (const AttentionLaunch& launch : {plan.split, plan.merge, plan.prefill}) {
      EXPECT_LE(launch.shared_bytes, least_shared_limit);
      EXPECT_LE(launch.grid, 16 * multiprocessors);
      EXPECT_EQ(launch.threads % 32, 0);
      EXPECT_LE(launch.threads, most_threads);
    }
    EXPECT_GE(plan.split.grid, 1);
    EXPECT_EQ(plan.merge.grid > 0, plan.rule.max_splits > 1);
    EXPECT_EQ(plan.prefill.grid > 0, shape.capacity > few_queries);
    const int64_t floats = int64_t{plan.rule.split_rows} * shape.heads * plan.rule.max_splits * (shape.head_dim + 2);
    EXPECT_EQ(plan.scratch_bytes, plan.rule.max_splits > 1 ? floats * 4 : 0);
    // The same step for more context has no fewer parts and no less scratch: a plan made for the table's width serves.
    AttentionShape longer = shape;
    longer.most_context *= 2;
    EXPECT_GE(attention_plan(longer, multiprocessors).scratch_bytes, plan.scratch_bytes);
  }
}

// One sequence of 32,768 tokens on an H100: two blocks for each multiprocessor in one wave, three of which its shared
// memory holds, also where up to 8 sequences may decode.
TEST(AttentionPlan, FillsTheDeviceWithOneSequence) {
  for (const int64_t capacity : {1, 8}) {
    const AttentionPlan plan = attention_plan({capacity, 32, 8, 128, 32768, true, true, 16}, 132);
    EXPECT_TRUE(plan.fragments);
    EXPECT_EQ(plan.width, 128);
    EXPECT_GE(plan.rule.max_splits * 8, 2 * 132);
    EXPECT_GE(plan.split.grid, 2 * 132);
    EXPECT_LE(plan.split.grid, 3 * 132);
    EXPECT_LE(3 * (plan.split.shared_bytes + 1024), 228 * 1024);
    EXPECT_LE(plan.scratch_bytes, capacity * (1 << 20));
    EXPECT_EQ(plan.prefill.grid, 0);
  }
}

TEST(AttentionPlan, DivisionsAreExact) {
  std::mt19937 engine(3);
  const int32_t last = std::numeric_limits<int32_t>::max();
  for (int32_t by : {1, 2, 3, 5, 7, 16, 33, 64, 100, 255, 1 << 20, (1 << 30) - 1, 1 << 30}) {
    const Division rule = division(by);
    for (int i = 0; i < 1000; ++i) {
      const auto value = static_cast<int32_t>(engine() >> (1 + i % 31));
      const int32_t edge = value / by * by;  // a multiple, and the number before it
      for (const int32_t n : {value, edge, edge > 0 ? edge - 1 : 0, last, last - i}) ASSERT_EQ(rule.of(n), n / by);
    }
  }
}

// More rows have fewer parts each: scratch grows no further than fewest_splits parts a row ask for.
TEST(AttentionPlan, ScratchStaysSmall) {
  const auto bytes = [](int64_t capacity) {
    return attention_plan({capacity, 32, 8, 128, 131072, true, true, 16}, 132).scratch_bytes;
  };
  EXPECT_LE(bytes(16), bytes(8));
  EXPECT_LE(bytes(32), bytes(8));
  EXPECT_LE(bytes(256), 40 << 20);
  EXPECT_EQ(bytes(8192), bytes(256));
}

}  // namespace
}  // namespace graft::kernels::cuda
