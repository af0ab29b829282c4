#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/spec/rotary.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaRotaryCache, MatchesReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 12);
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    const auto head_dim = random.pick<int32_t>({2, 8, 24, 33, 64, 128, 256, 320});
    const auto kv_heads = static_cast<int32_t>(random.in(1, 3));
    RotaryCacheArgs args = {};
    args.heads = kv_heads * static_cast<int32_t>(random.in(1, 4));
    args.qkv_stride = int64_t{args.heads + 2 * kv_heads} * head_dim + random.in(0, 5);
    const std::vector<float> start = random.normals(capacity * args.qkv_stride);
    DeviceMemory device_rows(std::vector<int32_t>{rows});
    args.rows = device_rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;

    args.norm_dtype = random.float_type();
    DeviceMemory query_norm(typed(args.norm_dtype, random.normals(args.heads * head_dim)));
    DeviceMemory key_norm(typed(args.norm_dtype, random.normals(kv_heads * head_dim)));
    if (random.coin()) args.query_norm = query_norm.data();
    if (random.coin()) args.key_norm = key_norm.data();
    args.norm_epsilon = 1e-5f;
    args.norm_weight_offset = random.coin() ? 0.0f : 1.0f;
    args.norm_whole = random.coin();

    args.rotary_dim = 2 * static_cast<int32_t>(random.in(1, head_dim / 2));
    args.interleaved = random.coin();
    std::vector<float> cosines, sines;
    for (int64_t i = 0; i < capacity * args.rotary_dim / 2; ++i) {
      const float phase = random.normal(3);
      cosines.push_back(std::cos(phase));
      sines.push_back(std::sin(phase));
    }
    DeviceMemory cosine(cosines), sine(sines);
    if (random.in(0, 4) != 0) args.cosine = cosine.as<float>(), args.sine = sine.as<float>();

    const auto block_size = random.pick<int32_t>({1, 8, 32});
    const int64_t blocks = (capacity + block_size - 1) / block_size + 2;
    std::vector<int32_t> slots(static_cast<size_t>(blocks * block_size));
    std::iota(slots.begin(), slots.end(), 0);
    std::shuffle(slots.begin(), slots.end(), random.engine);
    for (int32_t& slot : slots) slot = random.in(0, 6) == 0 ? -1 : slot;
    slots.resize(static_cast<size_t>(capacity));
    DeviceMemory device_slots(slots);
    args.slots = device_slots.as<int32_t>();
    args.cache = {nullptr, nullptr, random.float_type(), block_size, kv_heads, head_dim};
    const int64_t elements = blocks * kv_heads * block_size * head_dim;

    // Queries (and what lies beyond *rows), then both caches as float32.
    const auto run = [&](const Variant& variant, const emulated::Order* order) {
      const std::vector<float> empty(static_cast<size_t>(elements), -7.0f);
      DeviceMemory qkv(start), key(typed(args.cache.dtype, empty)), value(typed(args.cache.dtype, empty));
      RotaryCacheArgs mine = args;
      mine.qkv = qkv.as<float>();
      mine.cache.key = key.data();
      mine.cache.value = value.data();
      if (order != nullptr) {
        run_emulated(variant, mine, *order);
      } else {
        variant.run(&mine, {});
      }
      std::vector<float> all;
      for (int64_t t = 0; t < capacity; ++t) {
        const float* row = qkv.as<float>() + t * args.qkv_stride;
        all.insert(all.end(), row, row + (t < rows ? args.heads * head_dim : args.qkv_stride));
      }
      for (int64_t i = 0; i < elements; ++i) {
        all.push_back(load_float(key.data(), i, args.cache.dtype));
        all.push_back(load_float(value.data(), i, args.cache.dtype));
      }
      return all;
    };
    const std::vector<float> expected = run(*reference_of(Op::rotary_cache), nullptr);
    // One unit in the last place of a 16-bit key where float32 sums fall on the other side of a rounding boundary.
    const double tolerance = args.cache.dtype == DType::bfloat16  ? 8e-3
                             : args.cache.dtype == DType::float16 ? 1e-3
                                                                  : 1e-5;
    const int found = for_each_cuda_variant(Op::rotary_cache, &args, [&](const Variant& variant) {
      for (const emulated::Order order : all_orders) {
        EXPECT_EQ(difference(run(variant, &order), expected, tolerance), "") << variant.name;
      }
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
