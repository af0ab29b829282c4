#include "kernels/spec/rotary_attention.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "tests/cuda/attention_case.h"

namespace graft::kernels::testing {
namespace {

struct Switches {
  bool query_norm, key_norm, rotates, interleaved;
  int32_t rotary_dim;
};

Switches random_switches(Random& random, int32_t head_dim) {
  Switches switches = {random.coin(), random.coin(), random.in(0, 5) != 0, random.coin(), head_dim};
  const int32_t unit = switches.interleaved ? 2 : 4;
  if (random.coin()) switches.rotary_dim = unit * static_cast<int32_t>(random.in(1, head_dim / unit));
  return switches;
}

/// Heads of a step, drawn one after the other.
struct Heads {
  int32_t dim, kv_heads, group;
  DType type;

  Heads(Random& random, const std::vector<int32_t>& dims, int64_t most_kv_heads, const std::vector<int32_t>& groups) {
    dim = random.pick(dims);
    kv_heads = static_cast<int32_t>(random.in(1, most_kv_heads));
    group = random.pick(groups);
    type = random.coin() ? DType::bfloat16 : DType::float16;
  }
};

int64_t spare_rows(Random& random, const std::vector<Sequence>& sequences) {
  int64_t rows = 0;
  for (const Sequence& sequence : sequences) rows += sequence.queries;
  return random.in(0, cuda::few_queries - std::max<int64_t>(1, rows));
}

/// A step of attention whose queries and new keys are as the projection left them.
class RotaryCase {
 public:
  RotaryCase(Random& random, const std::vector<Sequence>& sequences, const Heads& heads, const Switches& switches)
      : step_(random, sequences, heads.dim, heads.type, heads.kv_heads, heads.group, spare_rows(random, sequences)) {
    const AttentionArgs& a = step_.args;
    const int32_t head_dim = heads.dim, kv_heads = heads.kv_heads;
    const int64_t rows = a.capacity;
    rotary_.capacity = rows;
    rotary_.heads = a.heads;
    rotary_.qkv_stride = int64_t{a.heads + 2 * kv_heads} * head_dim + random.in(0, 5);
    rotary_.norm_dtype = random.float_type();
    rotary_.norm_epsilon = 0.1f;  // small ones would not show
    rotary_.norm_weight_offset = random.coin() ? 0.0f : 1.0f;
    rotary_.rotary_dim = switches.rotary_dim;
    rotary_.interleaved = switches.interleaved;
    qkv_ = random.normals(rows * rotary_.qkv_stride);
    if (switches.query_norm) query_norm_ = random.normals(head_dim);
    if (switches.key_norm) key_norm_ = random.normals(head_dim);
    for (int64_t i = 0; switches.rotates && i < rows * switches.rotary_dim / 2; ++i) {
      const float phase = random.normal(3);
      cosines_.push_back(std::cos(phase));
      sines_.push_back(std::sin(phase));
    }
    find_slots();
    // What a step's keys will replace is no number: nobody may read it before.
    for (const int32_t slot : slots_) {
      if (slot < 0) continue;
      for_each_element(slot, [&](size_t at) { step_.keys[at] = step_.values[at] = std::nanf(""); });
    }
  }

  AttentionCase& step() { return step_; }
  AttentionArgs& attention() { return step_.args; }
  RotaryCacheArgs& rotary() { return rotary_; }

  struct Result {
    std::vector<float> out, qkv, keys, values;
  };

  /// `variant` null: rotary_cache of the reference alone.
  Result run(const Variant* variant, emulated::Order order = emulated::Order::forward) {
    const DType dtype = step_.args.cache.dtype, norms = rotary_.norm_dtype;
    AttentionMemory memory(step_);
    DeviceMemory rows(std::vector<int32_t>{step_.starts.back()}), qkv(qkv_), slots(slots_);
    DeviceMemory query_norm(typed(norms, query_norm_)), key_norm(typed(norms, key_norm_));
    DeviceMemory cosines(cosines_), sines(sines_);
    RotaryAttentionArgs both = {rotary_, memory.args, nullptr};
    RotaryCacheArgs& r = both.rotary;
    r.rows = rows.as<int32_t>();
    r.qkv = qkv.as<float>();
    r.query_norm = query_norm_.empty() ? nullptr : query_norm.data();
    r.key_norm = key_norm_.empty() ? nullptr : key_norm.data();
    r.cosine = cosines_.empty() ? nullptr : cosines.as<float>();
    r.sine = cosines_.empty() ? nullptr : sines.as<float>();
    r.slots = slots.as<int32_t>();
    r.cache = memory.args.cache;
    both.attention.query = r.qkv;
    both.attention.query_stride = r.qkv_stride;
    if (variant != nullptr) {
      run_emulated(*variant, both, order);
    } else {
      reference_of(Op::rotary_cache)->run(&r, {});
    }
    const auto floats = [&](const DeviceMemory& side) {
      const auto bits = side.read<unsigned char>();
      std::vector<float> all;
      for (size_t i = 0; i < step_.keys.size(); ++i) {
        all.push_back(load_float(bits.data(), static_cast<int64_t>(i), dtype));
      }
      return all;
    };
    return {memory.out.read<float>(), qkv.read<float>(), floats(memory.keys), floats(memory.values)};
  }

  /// What the reference makes of the queries that it has prepared itself and of the cache that `result` left: a key on
  /// the other side of a rounding boundary is no mistake of attention.
  std::string compare(const Result& result, const Result& prepared) const {
    AttentionCase check = step_;
    check.query = prepared.qkv;
    check.args.query_stride = rotary_.qkv_stride;
    check.keys = result.keys;
    check.values = result.values;
    return check.compare(result.out, check.run(*reference_of(Op::attention), false));
  }

  void check(const std::vector<emulated::Order>& orders) {
    // One unit in the last place of a key.
    const double tolerance = step_.args.cache.dtype == DType::bfloat16 ? 8e-3 : 1e-3;
    const Result prepared = run(nullptr);
    const std::vector<int32_t> all_slots = slots_;
    const Variant& reference = *reference_of(Op::rotary_attention);
    const Result expected = run(&reference);
    EXPECT_TRUE(same(expected.keys, prepared.keys) && same(expected.values, prepared.values));
    EXPECT_EQ(compare(expected, prepared), "") << reference.name;
    const RotaryAttentionArgs args = {rotary_, step_.args, nullptr};
    const int found = for_each_cuda_variant(Op::rotary_attention, &args, [&](const Variant& variant) {
      std::optional<Result> first;
      for (const emulated::Order order : orders) {
        const Result result = run(&variant, order);
        EXPECT_EQ(difference(result.keys, prepared.keys, tolerance), "") << variant.name;
        EXPECT_EQ(difference(result.values, prepared.values, 0), "") << variant.name;
        EXPECT_EQ(compare(result, prepared), "") << variant.name;
        if (!first) first = result;
        EXPECT_TRUE(same(result.out, first->out) && same(result.keys, first->keys)) << variant.name;
      }
      // Without slots nothing is written, and the same comes out: no block needs what another one has written.
      for (const size_t every : {size_t{1}, size_t{2}}) {
        Result left = *first;
        for (size_t t = 0; t < slots_.size(); t += every) {
          if (slots_[t] < 0) continue;
          for_each_element(slots_[t], [&](size_t at) {
            left.keys[at] = step_.keys[at];
            left.values[at] = step_.values[at];
          });
          slots_[t] = -1;
        }
        const Result result = run(&variant);
        EXPECT_TRUE(same(result.out, left.out)) << variant.name;
        EXPECT_TRUE(same(result.keys, left.keys) && same(result.values, left.values)) << variant.name;
        slots_ = all_slots;
      }
    });
    EXPECT_EQ(found, 1);
  }

 private:
  /// Equal bits; what is no number is equal to itself.
  static bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }

  /// Of the keys, or values, of a slot.
  template <class Function>
  void for_each_element(int32_t slot, const Function& function) const {
    const PagedCache& cache = step_.args.cache;
    const int32_t block = slot / cache.block_size, offset = slot % cache.block_size;
    for (int32_t h = 0; h < cache.kv_heads; ++h) {
      const int32_t first = ((block * cache.kv_heads + h) * cache.block_size + offset) * cache.head_dim;
      for (int32_t i = 0; i < cache.head_dim; ++i) function(static_cast<size_t>(first + i));
    }
  }

  void find_slots() {
    const AttentionArgs& a = step_.args;
    slots_.assign(static_cast<size_t>(a.capacity), -1);
    for (size_t s = 0; s < step_.sequences.size(); ++s) {
      for (int32_t q = 0; q < step_.sequences[s].queries; ++q) {
        const int32_t key = step_.lengths[s] - step_.sequences[s].queries + q, size = a.cache.block_size;
        const auto entry = static_cast<int64_t>(s) * a.block_table_stride + key / size;
        slots_[static_cast<size_t>(step_.starts[s] + q)] = step_.table[static_cast<size_t>(entry)] * size + key % size;
      }
    }
  }

  AttentionCase step_;
  RotaryCacheArgs rotary_ = {};
  std::vector<float> qkv_, query_norm_, key_norm_, cosines_, sines_;
  std::vector<int32_t> slots_;
};

std::vector<emulated::Order> orders(bool all) {
  return all ? std::vector(all_orders.begin(), all_orders.end()) : std::vector{emulated::Order::forward};
}

TEST(CudaRotaryAttention, MatchesReference) {
  for (uint32_t seed = 0; seed < 90; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Heads heads(random, {8, 16, 24, 40, 64, 80, 96, 128, 192, 256}, 2, {1, 2, 3, 4, 7, 8, 17});
    const Switches switches = random_switches(random, heads.dim);
    const std::vector<Sequence> sequences = few_queries_each(random, seed % 8 == 0 ? 900 : 100);
    RotaryCase(random, sequences, heads, switches).check(orders(seed % 3 == 0));
  }
}

// Every key of the step in one prompt, which takes several tiles and, behind a cached prefix, several parts.
TEST(CudaRotaryAttention, ShortPrompts) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Heads heads(random, {64, 128, 256}, 1, {1, 4, 12});
    const Switches switches = random_switches(random, heads.dim);
    const auto queries = static_cast<int32_t>(random.in(2, cuda::few_queries));
    const auto before = random.pick<int32_t>({0, 7, 50, 60, 250, 500});
    RotaryCase test(random, {{queries, before + queries}}, heads, switches);
    test.attention().window = seed % 3 == 0 ? 3 : seed % 3 == 1 ? 0 : 20;
    test.check(orders(seed % 5 == 0));
  }
}

// New keys on both sides of a strip's end, in the two strips that one warp asks for first and in those of two warps;
// and on both sides of a part's end.
TEST(CudaRotaryAttention, NewKeysInTwoStrips) {
  struct Place {
    int32_t dim, queries, context;
  };
  for (const Place& place : {Place{256, 4, 50},
                             {128, 4, 498},
                             {64, 10, 500},
                             {128, 16, 498},
                             {64, 4, 482},
                             {128, 3, 18},
                             {64, 8, 260},
                             {128, 16, 392}}) {
    SCOPED_TRACE("context " + std::to_string(place.context) + ", heads of " + std::to_string(place.dim));
    Random random(1);
    const Heads heads(random, {place.dim}, 1, {1});
    RotaryCase test(random, {{place.queries, place.context}}, heads, {true, true, true, false, place.dim});
    test.attention().window = 0;
    test.attention().causal = true;
    test.check(orders(true));
  }
}

// As on a large device, where one sequence has as many parts as fill it.
TEST(CudaRotaryAttention, ManyParts) {
  const int32_t before = emulated::device().multiprocessors;
  emulated::device().multiprocessors = 132;
  for (uint32_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Heads heads(random, {64, 96, 128, 128, 256}, 1, {1, 4, 8, 12});
    const Switches switches = random_switches(random, heads.dim);
    const auto context = 2 + static_cast<int32_t>(random.in(1, 1500));
    RotaryCase test(random, {{1, 3000}, {2, context}}, heads, switches);
    if (seed % 2 == 0) test.attention().window = 0;
    // With slopes, scores of several hundred are rounded by more than the tolerance, in the reference too.
    test.step().slopes.clear();
    test.check(orders(false));
  }
  emulated::device().multiprocessors = before;
}

TEST(CudaRotaryAttention, LeavesToTwoOpsWhatItCannotDo) {
  const auto variants = [](auto change) {
    Random random(1);
    RotaryCase test(random, {{1, 20}}, Heads(random, {64}, 1, {2}), {true, true, true, false, 64});
    RotaryAttentionArgs args = {test.rotary(), test.attention(), nullptr};
    args.rotary.query_norm = &args;  // somewhere; nothing runs
    args.rotary.cosine = args.rotary.sine = reinterpret_cast<const float*>(&args);
    change(args);
    return std::ssize(cuda_variants(Op::rotary_attention, &args));
  };
  EXPECT_EQ(variants([](RotaryAttentionArgs&) {}), 1);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.attention.capacity = cuda::few_queries + 1; }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.attention.cache.dtype = DType::float32; }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.attention.cache.head_dim = 320; }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.attention.cache.key = reinterpret_cast<void*>(2); }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.rotary.norm_whole = true; }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) { a.rotary.rotary_dim = 62; }), 0);
  EXPECT_EQ(variants([](RotaryAttentionArgs& a) {
              a.rotary.rotary_dim = 62;
              a.rotary.interleaved = true;
            }),
            1);
}

}  // namespace
}  // namespace graft::kernels::testing
