#include "kernels/spec/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

// Softmax weights sum to 1 and values are of size 1: the bound is on the absolute error.
constexpr double tolerance = 2e-5;

struct Case {
  int32_t sequences = 0;
  std::vector<int32_t> starts{0}, lengths, table;
  std::vector<float> query, sinks, slopes;
  std::vector<TypedArray> cache;
  AttentionArgs args = {};

  Case(Random& random, int32_t head_dim, int32_t most_context) {
    const int32_t kv_heads = static_cast<int32_t>(random.in(1, 3));
    args.heads = kv_heads * random.pick<int32_t>({1, 2, 3, 4, 5, 7, 8});
    sequences = static_cast<int32_t>(random.in(0, 4));
    const int32_t block_size = random.pick<int32_t>({4, 16, 32, 100});
    int32_t most_blocks = 1, blocks = 0;
    for (int32_t s = 0; s < sequences; ++s) {
      lengths.push_back(static_cast<int32_t>(random.in(1, most_context)));
      const int64_t queries = random.coin() ? 1 : random.in(0, std::min(lengths.back(), 90));
      starts.push_back(starts.back() + static_cast<int32_t>(queries));
      most_blocks = std::max(most_blocks, (lengths.back() + block_size - 1) / block_size);
      blocks += (lengths.back() + block_size - 1) / block_size;
    }
    // Physical blocks in random order; unused table entries point nowhere.
    std::vector<int32_t> order(static_cast<size_t>(blocks) + 1);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random.engine);
    table.assign(static_cast<size_t>(std::max(1, sequences) * most_blocks), -1000000);
    int32_t taken = 0;
    for (int32_t s = 0; s < sequences; ++s) {
      for (int32_t b = 0; b * block_size < lengths[static_cast<size_t>(s)]; ++b) {
        table[static_cast<size_t>(s * most_blocks + b)] = order[static_cast<size_t>(taken++)];
      }
    }
    const DType dtype = random.float_type();
    const int64_t elements = (blocks + 1) * int64_t{kv_heads} * block_size * head_dim;
    for (int side = 0; side < 2; ++side) cache.emplace_back(dtype, random.normals(elements));

    args.capacity = std::max(1, starts.back());
    args.query_stride = int64_t{args.heads} * head_dim + random.in(0, 9);
    args.out_stride = int64_t{args.heads} * head_dim + random.in(0, 9);
    query = random.normals(args.capacity * args.query_stride);
    args.block_table_stride = most_blocks;
    args.cache = {nullptr, nullptr, dtype, block_size, kv_heads, head_dim};
    args.scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
    args.causal = random.in(0, 3) != 0;
    args.window = random.coin() ? 0 : static_cast<int32_t>(random.in(1, most_context));
    args.softcap = random.coin() ? 0.0f : 2.0f;
    if (random.coin()) sinks = random.normals(args.heads);
    if (random.coin()) slopes = random.normals(args.heads, 0.1f);
    if (random.coin()) args.rounded_alibi = 0.25f;
  }

  std::vector<float> run(const Variant& variant, int32_t workers) {
    std::vector<float> out(static_cast<size_t>(args.capacity * args.out_stride), -77.0f);
    AttentionArgs mine = args;
    mine.sequences = &sequences;
    mine.query = query.data();
    mine.query_starts = starts.data();
    mine.context_lengths = lengths.data();
    mine.block_table = table.data();
    mine.cache.key = cache[0].data();
    mine.cache.value = cache[1].data();
    mine.sinks = sinks.empty() ? nullptr : sinks.data();
    mine.alibi_slopes = slopes.empty() ? nullptr : slopes.data();
    mine.out = out.data();
    Scratch scratch(variant, &mine, workers);
    mine.scratch = scratch.data();
    Pool pool(workers);
    variant.run(&mine, pool.context());
    return out;
  }
};

// One query at position 1 of two keys, one head of width 2.
std::vector<float> by_hand(void (*change)(AttentionArgs&)) {
  const int32_t sequences = 1, starts[] = {0, 1}, lengths[] = {2}, table[] = {1};
  const float query[] = {1, 0};
  float key[8] = {9, 9, 9, 9, 0, 5, 2, 7}, value[8] = {9, 9, 9, 9, 1, 2, 3, 4};
  std::vector<float> out(2);
  AttentionArgs args = {};
  args.sequences = &sequences;
  args.capacity = 1;
  args.query = query;
  args.query_stride = 2;
  args.query_starts = starts;
  args.context_lengths = lengths;
  args.block_table = table;
  args.block_table_stride = 1;
  args.cache = {key, value, DType::float32, 2, 1, 2};
  args.heads = 1;
  args.scale = 0.5f;
  args.causal = true;
  args.out = out.data();
  args.out_stride = 2;
  change(args);
  Scratch scratch(*reference_of(Op::attention), &args, 1);
  args.scratch = scratch.data();
  reference_of(Op::attention)->run(&args, {});
  return out;
}

TEST(Attention, ReferenceByHand) {
  // Scores 0 and 1.
  const double e = std::exp(1.0);
  auto out = by_hand([](AttentionArgs&) {});
  EXPECT_NEAR(out[0], (1 + 3 * e) / (1 + e), 1e-6);
  EXPECT_NEAR(out[1], (2 + 4 * e) / (1 + e), 1e-6);
  out = by_hand([](AttentionArgs& a) { a.window = 1; });  // the query's own key only
  EXPECT_EQ(out[0], 3.0f);
  out = by_hand([](AttentionArgs& a) { a.softcap = 0.5f; });
  const double capped = std::exp(0.5 * std::tanh(2.0));
  EXPECT_NEAR(out[0], (1 + 3 * capped) / (1 + capped), 1e-6);
  static const float sink = 2, slope = 3;
  out = by_hand([](AttentionArgs& a) { a.sinks = &sink; });
  EXPECT_NEAR(out[0], (1 + 3 * e) / (1 + e + std::exp(2.0)), 1e-6);
  out = by_hand([](AttentionArgs& a) { a.alibi_slopes = &slope; });  // scores -3 and 1
  EXPECT_NEAR(out[0], (std::exp(-3.0) + 3 * e) / (std::exp(-3.0) + e), 1e-6);
  static const float between = 3.01f;  // the nearest bfloat16 number is 3.015625
  out = by_hand([](AttentionArgs& a) { a.alibi_slopes = &between, a.rounded_alibi = 0.5f; });
  const double far = std::exp(-0.5 * 3.015625);
  EXPECT_NEAR(out[0], (far + 3 * e) / (far + e), 1e-6);
}

TEST(Attention, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Case test(random, random.pick<int32_t>({8, 16, 24, 40, 64, 80, 128}), seed % 4 == 0 ? 300 : 60);
    const std::vector<float> expected = test.run(*reference_of(Op::attention), 1);
    const int found = for_each_variant(Op::attention, &test.args, [&](const Variant& variant) {
      for (int32_t workers : {1, 1 + static_cast<int32_t>(random.in(1, 3))}) {
        EXPECT_EQ(difference(test.run(variant, workers), expected, tolerance), "") << variant.name << ", " << workers;
      }
    });
    EXPECT_GE(found, machine_has(Isa::avx2) ? 1 : 0);
  }
}

TEST(Attention, OddHeadWidthFallsBackToReference) {
  Random random(1);
  Case test(random, 12, 30);
  const Variant* chosen = select(Op::attention, &test.args);
  ASSERT_NE(chosen, nullptr);
  EXPECT_EQ(chosen->isa, Isa::reference);
}

TEST(Attention, LargeScoresStayFinite) {
  Random random(5);
  Case test(random, 64, 200);
  test.sequences = 1;
  test.starts = {0, 1};
  test.lengths = {1};
  test.table[0] = 0;
  test.args.scale = 1000.0f;
  test.args.softcap = 0;
  test.args.window = 0;
  const std::vector<float> expected = test.run(*reference_of(Op::attention), 1);
  for_each_variant(Op::attention, &test.args, [&](const Variant& variant) {
    EXPECT_EQ(difference(test.run(variant, 1), expected, tolerance), "") << variant.name;
  });
}

}  // namespace
}  // namespace graft::kernels::testing
