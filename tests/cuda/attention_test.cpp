#include <algorithm>
#include <cmath>

#include "tests/cuda/attention_case.h"

namespace graft::kernels::testing {
namespace {

using Case = AttentionCase;

TEST(CudaAttention, FewQueriesMatchReference) {
  for (uint32_t seed = 0; seed < 90; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto head_dim = random.pick<int32_t>({8, 16, 24, 40, 64, 80, 128, 192, 256});
    const auto sequences = few_queries_each(random, seed % 8 == 0 ? 900 : 100);
    Case test(random, sequences, head_dim, random.float_type(), static_cast<int32_t>(random.in(1, 2)),
              random.pick<int32_t>({1, 2, 3, 4, 7, 8, 17}), 0);
    test.check(seed % 3 == 0 ? std::vector(all_orders.begin(), all_orders.end())
                             : std::vector{emulated::Order::forward});
  }
}

// Prompts, chunks of prompts with a cached prefix, and sequences that decode, in one step.
TEST(CudaAttention, MixedStepsMatchReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto head_dim = random.pick<int32_t>({8, 24, 64, 72, 96, 128, 256});
    std::vector<Sequence> sequences = few_queries_each(random, seed % 8 == 0 ? 600 : 60);
    for (int64_t count = random.in(1, 2); count > 0; --count) {
      const auto queries = static_cast<int32_t>(random.in(1, 70));
      sequences.push_back({queries, queries + static_cast<int32_t>(random.coin() ? 0 : random.in(1, 90))});
    }
    std::shuffle(sequences.begin(), sequences.end(), random.engine);
    Case test(random, sequences, head_dim, random.float_type(), static_cast<int32_t>(random.in(1, 2)),
              random.pick<int32_t>({1, 2, 3, 4, 8}), random.in(17, 40));
    test.check(seed % 4 == 0 ? std::vector(all_orders.begin(), all_orders.end())
                             : std::vector{emulated::Order::forward});
  }
}

TEST(CudaAttention, OddHeadsAndAddresses) {
  for (uint32_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const bool misaligned = seed % 3 == 0;
    const auto head_dim = misaligned ? 64 : random.pick<int32_t>({1, 5, 12, 33, 100, 320, 512});
    const DType dtype = misaligned ? DType::float16 : random.float_type();
    Case test(random, {{1, 70}, {seed % 2 == 0 ? 20 : 2, 41}}, head_dim, dtype, 1, random.pick<int32_t>({1, 3}), 0);
    const std::vector<float> expected = test.run(*reference_of(Op::attention), false);
    for_each_cuda_variant(Op::attention, &test.args, [&](const Variant& variant) {
      EXPECT_EQ(test.compare(test.run(variant, true, emulated::Order::forward, misaligned ? 2 : 0), expected), "")
          << variant.name;
    });
  }
}

// The launches that ask for most, on a device with the least shared memory.
TEST(CudaAttention, WidestHeadsNeedNoMoreThanTheLeastSharedMemory) {
  const SharedLimit device(shared_limits[0]);
  for (const int32_t head_dim : {256, 512}) {
    SCOPED_TRACE("heads of " + std::to_string(head_dim));
    Random random(4);
    Case test(random, {{1, 70}, {20, 41}}, head_dim, DType::bfloat16, 1, 2, 0);
    test.check({emulated::Order::forward});
  }
}

// More sequences than a warp has lanes.
TEST(CudaAttention, ManySequences) {
  Random random(3);
  std::vector<Sequence> sequences(70, {1, 1});
  for (Sequence& sequence : sequences) sequence.context = static_cast<int32_t>(random.in(1, 20));
  sequences[40] = {19, 30};
  sequences[41].queries = 0;
  Case test(random, sequences, 16, DType::bfloat16, 1, 2, 0);
  test.check({emulated::Order::forward});
}

// Contexts long enough for several parts, with every switch that changes which keys are seen.
TEST(CudaAttention, PartsMatchReference) {
  for (int which = 0; which < 6; ++which) {
    SCOPED_TRACE("switches " + std::to_string(which));
    Random random(static_cast<uint32_t>(which));
    Case test(random, {{2, 1500}, {1, 300}, {1, 256}, {3, 257}}, 64, which % 2 == 0 ? DType::bfloat16 : DType::float32,
              1, 4, 0);
    test.args.window = which < 2 ? 0 : which < 4 ? 700 : 100;
    test.args.causal = which != 5;
    test.check({emulated::Order::forward});
  }
}

// As on a large device, where one sequence has as many parts as fill it: heads of every width of stages, blocks of the
// cache that hold a strip and those that do not, tiles of 8 and of 16 rows.
TEST(CudaAttention, ManyPartsMatchReference) {
  const int32_t before = emulated::device().multiprocessors;
  emulated::device().multiprocessors = 132;
  for (uint32_t seed = 0; seed < 16; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const DType dtype = seed % 4 == 0 ? DType::float32 : seed % 4 == 1 ? DType::float16 : DType::bfloat16;
    const auto head_dim = random.pick<int32_t>({64, 96, 128, 128, 256});
    Case test(random, {{1, 3000}, {2, 1 + static_cast<int32_t>(random.in(1, 1500))}}, head_dim, dtype, 1,
              random.pick<int32_t>({1, 4, 8, 12}), random.in(0, 5));
    if (seed % 2 == 0) test.args.window = 0;
    test.slopes.clear();  // scores of several hundred are rounded by more than the tolerance, in the reference too
    test.check({emulated::Order::forward});
  }
  emulated::device().multiprocessors = before;
}

// A sequence's numbers do not depend on what else is in the step: bit by bit the same.
TEST(CudaAttention, TheSameWhateverElseIsInTheStep) {
  for (const int64_t spare : {0, 30}) {
    Random random(11);
    Case both(random, {{1, 700}, {2, 40}, {1, 520}}, 64, DType::bfloat16, 2, 2, spare);
    Case alone = both;
    const int64_t stride = both.args.block_table_stride;
    alone.sequences = {both.sequences[2]};
    alone.starts = {0, 1};
    alone.lengths = {520};
    alone.table.assign(both.table.begin() + 2 * stride, both.table.end());
    std::copy_n(both.query.begin() + 3 * both.args.query_stride, both.args.query_stride, alone.query.begin());
    for_each_cuda_variant(Op::attention, &both.args, [&](const Variant& variant) {
      const std::vector<float> one = alone.run(variant, true), all = both.run(variant, true);
      const int64_t row = both.args.out_stride, width = both.args.heads * both.args.cache.head_dim;
      EXPECT_TRUE(std::equal(one.begin(), one.begin() + width, all.begin() + 3 * row)) << variant.name;
    });
  }
}

// Nor on which thread comes first.
TEST(CudaAttention, TheSameInEveryOrder) {
  for (const int32_t group : {4, 12}) {
    Random random(13);
    Case test(random, {{1, 700}, {2, 190}}, 128, DType::bfloat16, 1, group, 0);
    for_each_cuda_variant(Op::attention, &test.args, [&](const Variant& variant) {
      const std::vector<float> first = test.run(variant, true);
      for (const emulated::Order order : all_orders) EXPECT_EQ(test.run(variant, true, order), first) << variant.name;
    });
  }
}

// Queries beyond the largest float16 too, by split keys and by tiles.
TEST(CudaAttention, LargeScoresStayFinite) {
  for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16}) {
    for (const float size : {1.0f, 1e6f}) {
      Random random(5);
      Case test(random, {{1, 1}, {1, 40}, {20, 30}}, 64, dtype, 1, 2, 0);
      for (float& value : test.query) value *= size;
      test.args.scale = 1000.0f;
      test.args.softcap = 0;
      test.args.window = 0;
      for_each_cuda_variant(Op::attention, &test.args, [&](const Variant& variant) {
        for (const float value : test.run(variant, true)) ASSERT_TRUE(std::isfinite(value)) << variant.name << size;
      });
    }
  }
}

}  // namespace
}  // namespace graft::kernels::testing
