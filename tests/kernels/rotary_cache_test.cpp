#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/spec/rotary.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(RotaryCache, ReferenceByHand) {
  const int32_t rows = 1, slots[] = {3};  // block 1, offset 1
  std::vector<float> qkv = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const float cosine[] = {0}, sine[] = {1};  // a quarter turn: (u, v) -> (-v, u)
  std::vector<float> key(12, -1), value(12, -1);
  RotaryCacheArgs args = {};
  args.rows = &rows;
  args.qkv = qkv.data();
  args.qkv_stride = 9;
  args.heads = 1;
  args.cosine = cosine;
  args.sine = sine;
  args.rotary_dim = 2;
  args.slots = slots;
  args.cache = {key.data(), value.data(), DType::float32, 2, 1, 3};
  reference_of(Op::rotary_cache)->run(&args, {});
  EXPECT_EQ(std::vector<float>(qkv.begin(), qkv.begin() + 3), (std::vector<float>{-2, 1, 3}));
  EXPECT_EQ(key, (std::vector<float>{-1, -1, -1, -1, -1, -1, -1, -1, -1, -5, 4, 6}));
  EXPECT_EQ(value, (std::vector<float>{-1, -1, -1, -1, -1, -1, -1, -1, -1, 7, 8, 9}));

  // Query norm over (3, 4) with stored weights w - 1, no rotation, nothing written.
  const int32_t nowhere[] = {-1};
  const float weight[] = {0, 1};
  qkv = {3, 4, 0, 0, 0, 0};
  args.qkv_stride = 6;
  args.cosine = nullptr;
  args.slots = nowhere;
  args.query_norm = weight;
  args.norm_dtype = DType::float32;
  args.norm_weight_offset = 1;
  args.cache.head_dim = 2;
  const std::vector<float> before = key;
  reference_of(Op::rotary_cache)->run(&args, {});
  EXPECT_NEAR(qkv[0], 3 / std::sqrt(12.5), 1e-6);
  EXPECT_NEAR(qkv[1], 8 / std::sqrt(12.5), 1e-6);
  EXPECT_EQ(key, before);
}

TEST(RotaryCache, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int32_t head_dim = random.pick<int32_t>({4, 8, 12, 40, 64, 128}),
                  kv_heads = static_cast<int32_t>(random.in(1, 3));
    const int64_t capacity = random.in(1, 50);
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    RotaryCacheArgs args = {};
    args.rows = &rows;
    args.heads = kv_heads * static_cast<int32_t>(random.in(1, 4));
    const int64_t width = (args.heads + 2 * kv_heads) * int64_t{head_dim};
    args.qkv_stride = width + random.in(0, 4);
    const std::vector<float> start = random.normals(capacity * args.qkv_stride);
    args.norm_dtype = random.float_type();
    args.norm_epsilon = 1e-6f;
    args.norm_weight_offset = random.coin() ? 0.0f : 1.0f;
    args.norm_whole = random.coin();
    const int64_t times = args.norm_whole ? 1 : 0;
    TypedArray query_norm(args.norm_dtype, random.normals(head_dim * (times ? args.heads : 1)), random.in(0, 3));
    TypedArray key_norm(args.norm_dtype, random.normals(head_dim * (times ? kv_heads : 1)), random.in(0, 3));
    if (random.coin()) args.query_norm = query_norm.data(), args.key_norm = key_norm.data();
    args.rotary_dim = 2 * static_cast<int32_t>(random.in(1, head_dim / 2));
    args.interleaved = random.coin();
    std::vector<float> cosine, sine;
    for (int64_t i = 0; i < capacity * (args.rotary_dim / 2); ++i) {
      const float phase = random.normal(3);
      cosine.push_back(std::cos(phase));
      sine.push_back(std::sin(phase));
    }
    if (random.in(0, 4) != 0) args.cosine = cosine.data(), args.sine = sine.data();
    const int32_t block_size = random.pick<int32_t>({1, 8, 32});
    const int64_t blocks = (capacity + block_size - 1) / block_size + 2;
    std::vector<int32_t> slots(static_cast<size_t>(blocks * block_size));
    std::iota(slots.begin(), slots.end(), 0);
    std::shuffle(slots.begin(), slots.end(), random.engine);
    for (int32_t& slot : slots) slot = random.in(0, 6) == 0 ? -1 : slot;
    args.slots = slots.data();
    args.cache = {nullptr, nullptr, random.float_type(), block_size, kv_heads, head_dim};
    const int64_t elements = blocks * kv_heads * block_size * head_dim;

    // Queries (and what lies beyond *rows), then both caches as float32.
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> qkv = start;
      TypedArray key(args.cache.dtype, std::vector<float>(static_cast<size_t>(elements), -7.0f));
      TypedArray value(args.cache.dtype, std::vector<float>(static_cast<size_t>(elements), -7.0f));
      RotaryCacheArgs mine = args;
      mine.qkv = qkv.data();
      mine.cache.key = key.data();
      mine.cache.value = value.data();
      Pool pool(workers);
      variant.run(&mine, pool.context());
      std::vector<float> all;
      for (int64_t t = 0; t < capacity; ++t) {
        const auto row = qkv.begin() + t * args.qkv_stride;
        all.insert(all.end(), row, row + (t < rows ? args.heads * head_dim : args.qkv_stride));
      }
      for (int64_t i = 0; i < elements; ++i) {
        all.push_back(load_float(key.data(), i, args.cache.dtype));
        all.push_back(load_float(value.data(), i, args.cache.dtype));
      }
      return all;
    };
    const std::vector<float> expected = run(*reference_of(Op::rotary_cache), 1);
    // One unit in the last place of a 16-bit key where float32 sums fall on the other side of a rounding boundary.
    const double tolerance = args.cache.dtype == DType::bfloat16  ? 8e-3
                             : args.cache.dtype == DType::float16 ? 1e-3
                                                                  : 1e-5;
    for_each_variant(Op::rotary_cache, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) {
        EXPECT_EQ(difference(run(variant, workers), expected, tolerance), "") << variant.name << ", " << workers;
      }
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing
