// Launch plans are pure functions of shapes: 200 random ones, and the largest that the ops allow.
#include "kernels/cuda/rows_plan.h"

#include "kernels/cuda/attention_plan.h"
#include "tests/cuda/launch_limits.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

using namespace cuda;

constexpr int64_t most_width = std::numeric_limits<int32_t>::max();

struct Shape {
  int64_t capacity, width;
  int32_t multiprocessors;
  bool wide;
};

/// `area`: elements that the test will look at one by one.
Shape random_shape(Random& random, int64_t area = 60000) {
  Shape shape = {};
  shape.capacity = random.in(1, random.pick<int64_t>({8, 64, 3000}));
  shape.width = random.in(1, area / shape.capacity);
  shape.multiprocessors = static_cast<int32_t>(random.pick<int64_t>({1, 3, 108, 132, 148, 300}));
  shape.wide = random.coin();
  if (shape.wide) shape.width = round_up(shape.width, 4);
  return shape;
}

template <class Check>
void for_random_shapes(Check check) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    check(random, random_shape(random));
  }
}

/// What a plan answers for the most rows, the widest ones, or both, on a small device and on a large one.
template <class Plan>
void expect_largest_launchable(Plan plan) {
  for (const int64_t capacity : {int64_t{0}, int64_t{1}, most_loop_blocks - 1, most_loop_blocks, most_rows}) {
    for (const int64_t width : {int64_t{4}, most_width - 3}) {
      for (const int32_t multiprocessors : {1, 148, 100000}) {
        for (const bool wide : {false, true}) expect_launchable(plan(Shape{capacity, width, multiprocessors, wide}));
      }
    }
  }
}

TEST(CudaGridPlan, FillsTheDeviceAndHasNoBlockWithoutWork) {
  for_random_shapes([](Random& random, const Shape& shape) {
    const int64_t work = random.in(0, random.pick<int64_t>({4, 2000, int64_t{1} << 50}));
    const int64_t filling = std::min<int64_t>(int64_t{4} * shape.multiprocessors, most_loop_blocks);
    EXPECT_EQ(grid_for(work, shape.multiprocessors), std::clamp<int64_t>(work, 1, filling));
    const int64_t of_row = random.in(1, 50);
    EXPECT_EQ(grid_for_rows(shape.capacity, of_row, shape.multiprocessors),
              shape.capacity < most_loop_blocks ? std::min(shape.capacity * of_row, filling) : filling);
    EXPECT_EQ(grid_for_rows(0, of_row, shape.multiprocessors), filling) << "which nobody knows";
  });
}

TEST(CudaGridPlan, RowsAndColumns) {
  for_random_shapes([](Random& random, const Shape& shape) {
    const auto threads = static_cast<int32_t>(32 * random.in(1, 8));
    const Blocks rows = blocks_for_rows(shape.capacity, shape.width, threads, shape.multiprocessors);
    expect_launchable(rows);
    expect_covers_rows(rows, shape.capacity, shape.width, true);
    EXPECT_LE(rows.down, std::max<int64_t>(1, int64_t{4} * shape.multiprocessors / rows.across));
    const Blocks columns = blocks_for_columns(shape.capacity, shape.width, threads);
    expect_launchable(columns);
    expect_covers_rows(columns, shape.capacity, shape.width, false);
  });
  expect_largest_launchable([](const Shape& s) {
    const Blocks blocks = blocks_for_rows(s.capacity, s.width, 32, s.multiprocessors);
    EXPECT_LE(int64_t{blocks.across} * blocks.down, most_loop_blocks);
    return blocks;
  });
  expect_largest_launchable([](const Shape& s) { return blocks_for_columns(s.capacity, s.width, 32); });
}

// Threads to pieces of rows: in one loop over all rows, or with the rows below each other.
TEST(CudaRowsPlan, Pieces) {
  for_random_shapes([](Random&, const Shape& s) {
    const int64_t pieces = s.wide ? s.width / 4 : s.width, all = s.capacity * pieces;
    const Blocks activation = activation_plan(s.width, s.wide, s.capacity, s.multiprocessors);
    expect_launchable(activation);
    expect_covers_rows(activation, s.capacity, pieces, true);
    const Blocks embedding = embedding_plan(s.width, s.wide, s.capacity, s.multiprocessors);
    const Blocks table = rotary_table_plan(static_cast<int32_t>(pieces), s.capacity, s.multiprocessors);
    for (const Blocks& blocks : {embedding, table}) {
      expect_launchable(blocks);
      EXPECT_EQ(blocks.down, 1u);
      expect_once(taken_in_strides(all, int64_t{blocks.across} * blocks.threads));
      EXPECT_LE(blocks.across, s.capacity * divide_up(pieces, blocks.threads)) << "a block without work";
    }
    const Blocks run = convert_run_plan(s.capacity * s.width, s.wide, s.multiprocessors);
    expect_launchable(run);
    expect_covers(run, s.capacity * s.width / (s.wide ? 4 : 1), run.threads);
  });
  const auto activation = [](const Shape& s) {
    return activation_plan(s.width, s.wide, s.capacity, s.multiprocessors);
  };
  const auto embedding = [](const Shape& s) { return embedding_plan(s.width, s.wide, s.capacity, s.multiprocessors); };
  const auto table = [](const Shape& s) {
    return rotary_table_plan(static_cast<int32_t>(s.width), s.capacity, s.multiprocessors);
  };
  expect_largest_launchable(activation);
  expect_largest_launchable(embedding);
  expect_largest_launchable(table);
  expect_largest_launchable(
      [](const Shape& s) { return convert_run_plan(s.capacity * s.width, s.wide, s.multiprocessors); });
}

TEST(CudaRowsPlan, CombineExperts) {
  for_random_shapes([](Random&, const Shape& s) {
    const Blocks blocks = combine_experts_plan(s.width, s.wide, s.capacity, s.multiprocessors);
    expect_launchable(blocks);
    const int64_t parts = combine_parts(s.width, s.wide), elements = s.wide ? 4 : 1;
    expect_covers(blocks, s.capacity * parts, 1);
    EXPECT_GE(parts * combine_threads * elements, s.width);
    EXPECT_LT((parts - 1) * combine_threads * elements, s.width);
  });
  expect_largest_launchable([](const Shape& s) {
    EXPECT_LE(combine_parts(s.width, s.wide), most_rows) << "an int32 to the kernel";
    return combine_experts_plan(s.width, s.wide, s.capacity, s.multiprocessors);
  });
}

// A block, a warp or a thread to a row.
TEST(CudaRowsPlan, WholeRows) {
  for_random_shapes([](Random& random, const Shape& s) {
    const auto heads = static_cast<int32_t>(random.in(1, 40)), kv_heads = static_cast<int32_t>(random.in(1, heads));
    const auto head_dim = static_cast<int32_t>(random.in(1, widest_head));
    const int64_t units = heads + 2 * kv_heads;
    const Blocks gather = gather_rows_plan(s.capacity, s.multiprocessors);
    const Blocks quantize = quantize_groups_plan(s.capacity, s.multiprocessors);
    const Blocks next = next_step_plan(s.capacity, s.multiprocessors);
    const Blocks whole = rotary_cache_plan(heads, kv_heads, head_dim, true, s.capacity, s.multiprocessors);
    const Blocks apart = rotary_cache_plan(heads, kv_heads, head_dim, false, s.capacity, s.multiprocessors);
    for (const Blocks& blocks : {gather, quantize, next, whole, apart}) expect_launchable(blocks);
    for (const Blocks& blocks : {gather, quantize, whole}) expect_covers(blocks, s.capacity, 1);
    expect_covers(next, s.capacity, next.threads);
    expect_once(taken_in_strides(s.capacity * units, int64_t{apart.across} * apart.threads / 32));
    EXPECT_LE(apart.across, s.capacity * divide_up(units, apart.threads / 32)) << "a block without work";
    EXPECT_GE(apart.shared_bytes, int64_t{apart.threads} / 32 * head_dim * 4) << "a head of each warp";
    EXPECT_EQ(whole.shared_bytes, apart.shared_bytes + 32 * 4) << "and a number of each";
    EXPECT_GE(quantize.shared_bytes, quantize.threads / 32 * 4);
  });
  const auto rotary = [](const Shape& s) {
    const auto heads = static_cast<int32_t>(s.width / 4);
    return rotary_cache_plan(heads, heads, widest_head, s.wide, s.capacity, s.multiprocessors);
  };
  expect_largest_launchable(rotary);
  expect_largest_launchable([](const Shape& s) { return gather_rows_plan(s.capacity, s.multiprocessors); });
  expect_largest_launchable([](const Shape& s) { return quantize_groups_plan(s.capacity, s.multiprocessors); });
  expect_largest_launchable([](const Shape& s) { return next_step_plan(s.capacity, s.multiprocessors); });
  // Their loops count in 32 bits without a sign.
  const int64_t stride = gather_rows_plan(most_rows, 100000).across;
  EXPECT_LE(most_rows + stride, std::numeric_limits<uint32_t>::max());
  EXPECT_LE(most_width + quantize_threads, std::numeric_limits<uint32_t>::max());
}

TEST(CudaRowsPlan, ConvertTiles) {
  for_random_shapes([](Random&, const Shape& s) {
    const Blocks blocks = convert_tiles_plan(s.capacity, s.width, s.multiprocessors);
    expect_launchable(blocks);
    expect_covers(blocks, convert_tile_count(s.capacity, s.width), 1);
    EXPECT_GE(blocks.shared_bytes, int64_t{convert_side} * convert_side * 4);
    EXPECT_EQ(blocks.threads % convert_side, 0);
    std::vector<int> times(static_cast<size_t>(s.capacity * s.width));  // tiles as the kernel counts them
    const int64_t across = divide_up(s.width, convert_side);
    for (int64_t tile = 0; tile < convert_tile_count(s.capacity, s.width); ++tile) {
      for (int64_t r = tile / across * convert_side; r < std::min(s.capacity, (tile / across + 1) * convert_side);
           ++r) {
        const int64_t first = tile % across * convert_side, last = std::min(s.width, first + convert_side);
        for (int64_t c = first; c < last; ++c) ++times[static_cast<size_t>(r * s.width + c)];
      }
    }
    expect_once(times);
  });
  expect_largest_launchable([](const Shape& s) { return convert_tiles_plan(s.capacity, s.width, s.multiprocessors); });
}

}  // namespace
}  // namespace graft::kernels::testing
