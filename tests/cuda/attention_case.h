// Random steps of attention over a paged cache, run by a variant and compared with another's numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/cuda/attention_plan.h"
#include "kernels/spec/attention.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {

// Softmax weights sum to 1 and values are of size 1: bounds are on the absolute error. Rounded to 16 bits, a query
// moves a score by about 2^-9 (bfloat16) or 2^-12 (float16) of its deviation 1, a weight as much again; five deviations
// and the few large values of a row stay under these.
inline constexpr double exact_tolerance = 2e-5, bfloat16_tolerance = 2e-2, float16_tolerance = 2.5e-3;

struct Sequence {
  int32_t queries, context;
};

struct AttentionCase {
  std::vector<Sequence> sequences;
  std::vector<int32_t> starts{0}, lengths, table;
  std::vector<float> query, keys, values, sinks, slopes;
  AttentionArgs args = {};

  /// Random switches, `sequences` as given, physical blocks in random order.
  AttentionCase(Random& random, const std::vector<Sequence>& wanted, int32_t head_dim, DType dtype, int32_t kv_heads,
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
                         size_t misalignment = 0) const;

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

  void check(const std::vector<emulated::Order>& orders, size_t misalignment = 0) const {
    const std::vector<float> expected = run(*reference_of(Op::attention), false);
    const int found = for_each_cuda_variant(Op::attention, &args, [&](const Variant& variant) {
      for (const emulated::Order order : orders) {
        EXPECT_EQ(compare(run(variant, true, order, misalignment), expected), "") << variant.name;
      }
    });
    EXPECT_EQ(found, 1);
  }
};

/// A case in device memory.
struct AttentionMemory {
  DeviceMemory count, query, starts, lengths, table, keys, values, sinks, slopes, out;
  AttentionArgs args;  ///< with the addresses

  explicit AttentionMemory(const AttentionCase& from, size_t misalignment = 0)
      : count(std::vector<int32_t>{static_cast<int32_t>(from.sequences.size())}),
        query(from.query),
        starts(from.starts),
        lengths(from.lengths),
        table(from.table),
        keys(typed(from.args.cache.dtype, from.keys), misalignment),
        values(typed(from.args.cache.dtype, from.values), misalignment),
        sinks(from.sinks),
        slopes(from.slopes),
        out(std::vector<float>(static_cast<size_t>(from.args.capacity * from.args.out_stride), -77.0f)),
        args(from.args) {
    args.sequences = count.as<int32_t>();
    args.query = query.as<float>();
    args.query_starts = starts.as<int32_t>();
    args.context_lengths = lengths.as<int32_t>();
    args.block_table = table.as<int32_t>();
    args.cache.key = keys.data();
    args.cache.value = values.data();
    args.sinks = from.sinks.empty() ? nullptr : sinks.as<float>();
    args.alibi_slopes = from.slopes.empty() ? nullptr : slopes.as<float>();
    args.out = out.as<float>();
  }
};

inline std::vector<float> AttentionCase::run(const Variant& variant, bool emulate, emulated::Order order,
                                             size_t misalignment) const {
  AttentionMemory memory(*this, misalignment);
  if (emulate) {
    run_emulated(variant, memory.args, order);
  } else {
    DeviceMemory scratch(static_cast<size_t>(variant.scratch_bytes(&memory.args, 1)));
    memory.args.scratch = scratch.data();
    variant.run(&memory.args, {});
  }
  return memory.out.read<float>();
}

inline std::vector<Sequence> few_queries_each(Random& random, int32_t most_context) {
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

}  // namespace graft::kernels::testing
