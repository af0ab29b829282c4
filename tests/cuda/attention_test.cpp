#include "kernels/spec/attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/cuda/attention_plan.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

// Softmax weights sum to 1 and values are of size 1: bounds are on the absolute error. Rounded to 16 bits, a query
// moves a score by about 2^-9 (bfloat16) or 2^-12 (float16) of its deviation 1, a weight as much again; five deviations
// and the few large values of a row stay under these.
constexpr double exact_tolerance = 2e-5, bfloat16_tolerance = 2e-2, float16_tolerance = 2.5e-3;

struct Sequence {
  int32_t queries, context;
};

struct Case {
  std::vector<Sequence> sequences;
  std::vector<int32_t> starts{0}, lengths, table;
  std::vector<float> query, keys, values, sinks, slopes;
  AttentionArgs args = {};

  /// Random switches, `sequences` as given, physical blocks in random order.
  Case(Random& random, const std::vector<Sequence>& wanted, int32_t head_dim, DType dtype, int32_t kv_heads,
       int32_t group, int64_t spare_rows)
      : sequences(wanted) {
    args.heads = kv_heads * group;
    const int32_t block_size = random.pick<int32_t>({4, 16, 32, 100});
    int32_t most_blocks = 1, blocks = 0;
    for (const Sequence& sequence : sequences) {
      lengths.push_back(sequence.context);
      starts.push_back(starts.back() + sequence.queries);
      const int32_t own = (sequence.context + block_size - 1) / block_size;
      most_blocks = std::max(most_blocks, own);
      blocks += own;
    }
    std::vector<int32_t> order(static_cast<size_t>(blocks) + 1);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random.engine);
    // Unused table entries point nowhere.
    table.assign(std::max<size_t>(1, sequences.size()) * static_cast<size_t>(most_blocks), -1000000);
    size_t taken = 0;
    for (size_t s = 0; s < sequences.size(); ++s) {
      for (int32_t b = 0; b * block_size < sequences[s].context; ++b) {
        table[s * static_cast<size_t>(most_blocks) + static_cast<size_t>(b)] = order[taken++];
      }
    }
    const int64_t elements = int64_t{blocks + 1} * kv_heads * block_size * head_dim;
    keys = random.normals(elements);
    values = random.normals(elements);
    leave_unwritten(random, kv_heads, block_size, head_dim);
    args.capacity = std::max(1, starts.back()) + spare_rows;
    args.query_stride = int64_t{args.heads} * head_dim + random.in(0, 9);
    args.out_stride = int64_t{args.heads} * head_dim + random.in(0, 9);
    query = random.normals(args.capacity * args.query_stride);
    args.block_table_stride = most_blocks;
    args.cache = {nullptr, nullptr, dtype, block_size, kv_heads, head_dim};
    args.scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
    args.causal = random.in(0, 3) != 0;
    args.window = random.coin() ? 0 : static_cast<int32_t>(random.in(1, 2 * most_blocks * block_size / 3 + 1));
    args.softcap = random.coin() ? 0.0f : 2.0f;
    if (random.coin()) sinks = random.normals(args.heads);
    if (random.coin()) slopes = random.normals(args.heads, 0.1f);
    if (random.coin()) args.rounded_alibi = 0.25f;
  }

  /// The cache holds anything where no key was written, also what is no number.
  void leave_unwritten(Random& random, int32_t kv_heads, int32_t block_size, int32_t head_dim) {
    if (random.coin()) return;
    const size_t most_blocks = table.size() / std::max<size_t>(1, sequences.size());
    std::vector<bool> written(keys.size() / static_cast<size_t>(head_dim));
    for (size_t s = 0; s < sequences.size(); ++s) {
      for (int32_t k = 0; k < sequences[s].context; ++k) {
        const int32_t block = table[s * most_blocks + static_cast<size_t>(k / block_size)];
        for (int32_t h = 0; h < kv_heads; ++h) {
          written[static_cast<size_t>((block * kv_heads + h) * block_size + k % block_size)] = true;
        }
      }
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!written[i / static_cast<size_t>(head_dim)]) keys[i] = values[i] = std::nanf("");
    }
  }

  std::vector<float> run(const Variant& variant, bool emulate, emulated::Order order = emulated::Order::forward,
                         size_t misalignment = 0) {
    const DType dtype = args.cache.dtype;
    DeviceMemory count(std::vector<int32_t>{static_cast<int32_t>(sequences.size())});
    DeviceMemory device_query(query), device_starts(starts), device_lengths(lengths), device_table(table);
    DeviceMemory device_keys(typed(dtype, keys), misalignment), device_values(typed(dtype, values), misalignment);
    DeviceMemory device_sinks(sinks), device_slopes(slopes);
    DeviceMemory out(std::vector<float>(static_cast<size_t>(args.capacity * args.out_stride), -77.0f));
    AttentionArgs mine = args;
    mine.sequences = count.as<int32_t>();
    mine.query = device_query.as<float>();
    mine.query_starts = device_starts.as<int32_t>();
    mine.context_lengths = device_lengths.as<int32_t>();
    mine.block_table = device_table.as<int32_t>();
    mine.cache.key = device_keys.data();
    mine.cache.value = device_values.data();
    mine.sinks = sinks.empty() ? nullptr : device_sinks.as<float>();
    mine.alibi_slopes = slopes.empty() ? nullptr : device_slopes.as<float>();
    mine.out = out.as<float>();
    if (emulate) {
      run_emulated(variant, mine, order);
    } else {
      DeviceMemory scratch(static_cast<size_t>(variant.scratch_bytes(&mine, 1)));
      mine.scratch = scratch.data();
      variant.run(&mine, {});
    }
    return out.read<float>();
  }

  /// Empty, or the first row that is off by more than its way through the kernels allows.
  std::string compare(const std::vector<float>& got, const std::vector<float>& expected) const {
    const bool exact = args.cache.dtype == DType::float32 || args.cache.head_dim % 8 != 0 || args.cache.head_dim > 256;
    const double rounded = args.cache.dtype == DType::bfloat16 ? bfloat16_tolerance : float16_tolerance;
    for (size_t s = 0; s < sequences.size(); ++s) {
      const bool few = sequences[s].queries <= cuda::few_queries && starts[s + 1] <= cuda::split_row_limit;
      for (int32_t t = starts[s]; t < starts[s + 1]; ++t) {
        const auto row = [&](const std::vector<float>& from) {
          const auto begin = from.begin() + t * args.out_stride;
          return std::vector<float>(begin, begin + args.out_stride);
        };
        const std::string found = difference(row(got), row(expected), exact || few ? exact_tolerance : rounded);
        if (!found.empty()) return "sequence " + std::to_string(s) + ", row " + std::to_string(t) + ", " + found;
      }
    }
    // What lies beyond the rows stays as it was.
    const auto rest = static_cast<size_t>(starts.back() * args.out_stride);
    return std::equal(got.begin() + static_cast<int64_t>(rest), got.end(),
                      expected.begin() + static_cast<int64_t>(rest))
               ? ""
               : "a row beyond the last";
  }

  void check(const std::vector<emulated::Order>& orders, size_t misalignment = 0) {
    const std::vector<float> expected = run(*reference_of(Op::attention), false);
    const int found = for_each_cuda_variant(Op::attention, &args, [&](const Variant& variant) {
      for (const emulated::Order order : orders) {
        EXPECT_EQ(compare(run(variant, true, order, misalignment), expected), "") << variant.name;
      }
    });
    EXPECT_EQ(found, 1);
  }
};

std::vector<Sequence> few_queries_each(Random& random, int32_t most_context) {
  std::vector<Sequence> sequences;
  int32_t left = cuda::few_queries;
  for (int64_t count = random.in(0, 4); count > 0; --count) {
    const auto context = static_cast<int32_t>(random.in(1, most_context));
    const auto queries = static_cast<int32_t>(random.coin() ? 1 : random.in(0, std::min({context, 5, left})));
    if (queries > left) break;
    left -= queries;
    sequences.push_back({queries, context});
  }
  return sequences;
}

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
