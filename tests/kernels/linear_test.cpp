#include "kernels/spec/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/spec/quantized.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

// Sums of in_features products in float32: the error grows like the root of their number, relative to the terms' size.
double tolerance(int64_t in_features) { return 2e-6 * std::sqrt(static_cast<double>(in_features) + 1); }

struct Case {
  int32_t rows = 0;
  std::vector<float> x;
  std::vector<std::unique_ptr<TypedArray>> arrays;
  std::vector<std::vector<unsigned char>> integers;
  std::vector<std::vector<float>> scales;
  LinearArgs args = {};
  int64_t out_features = 0;

  Case(Random& random, int32_t row_count, int64_t capacity, int64_t in, const std::vector<int64_t>& outs)
      : rows(row_count) {
    const int64_t x_stride = in + random.in(0, 5);
    x = random.normals(capacity * x_stride);
    args.capacity = capacity;
    args.in_features = in;
    args.x_stride = x_stride;
    args.segment_count = static_cast<int32_t>(outs.size());
    for (size_t s = 0; s < outs.size(); ++s) {
      const DType weight_type = random.float_type(), bias_type = random.float_type();
      arrays.push_back(std::make_unique<TypedArray>(weight_type, random.normals(outs[s] * in, 0.5f), random.in(0, 3)));
      const void* weight = arrays.back()->data();
      const void* bias = nullptr;
      if (random.coin()) {
        arrays.push_back(std::make_unique<TypedArray>(bias_type, random.normals(outs[s]), random.in(0, 3)));
        bias = arrays.back()->data();
      }
      args.segments[s] = {weight, bias, weight_type, bias_type, outs[s]};
      out_features += outs[s];
    }
    args.out_stride = out_features + random.in(0, 5);
    args.accumulate = random.coin();
    if (!args.accumulate) return;
    for (int32_t i = 0; i < args.segment_count; ++i) args.segments[i].bias = nullptr;
  }

  /// Makes segment `s` int8 or int4 with random integers and scales, both exactly as long as they must be.
  void quantize(Random& random, int32_t s, DType dtype, int64_t group_size) {
    LinearSegment& segment = args.segments[s];
    const int64_t bytes = segment.out_features * quantized_row_bytes(args.in_features, dtype);
    integers.emplace_back(static_cast<size_t>(bytes));
    for (unsigned char& byte : integers.back()) byte = static_cast<unsigned char>(random.in(0, 255));
    scales.push_back(random.normals(segment.out_features * quantized_groups(args.in_features, group_size),
                                    dtype == DType::int8 ? 0.01f : 0.1f));
    segment.weight = integers.back().data();
    segment.weight_dtype = dtype;
    segment.scales = scales.back().data();
    segment.group_size = group_size;
  }

  std::vector<float> run(const Variant& variant, int32_t workers) {
    std::vector<float> out(static_cast<size_t>(args.capacity * args.out_stride), -1.5f);
    LinearArgs mine = args;
    mine.rows = &rows;
    mine.x = x.data();
    mine.out = out.data();
    Scratch scratch(variant, &mine, workers);
    mine.scratch = scratch.data();
    Pool pool(workers);
    variant.run(&mine, pool.context());
    return out;
  }
};

TEST(Linear, ReferenceByHand) {
  const int32_t rows = 1;
  const float x[] = {1, 2, 3};
  const float weight[] = {1, 0, -1, 0.5f, 0.5f, 0.5f};
  TypedArray half(DType::bfloat16, {2, 4, -1}, 1);
  const float bias[] = {10, 20};
  float out[3] = {};
  LinearArgs args = {};
  args.rows = &rows;
  args.capacity = 1;
  args.in_features = 3;
  args.x = x;
  args.x_stride = 3;
  args.segments[0] = {weight, bias, DType::float32, DType::float32, 2};
  args.segments[1] = {half.data(), nullptr, DType::bfloat16, DType::float32, 1};
  args.segment_count = 2;
  args.out = out;
  args.out_stride = 3;
  reference_of(Op::linear)->run(&args, {});
  EXPECT_EQ(out[0], 8.0f);   // 1 - 3 + 10
  EXPECT_EQ(out[1], 23.0f);  // 3 + 20
  EXPECT_EQ(out[2], 7.0f);   // 2 + 8 - 3
}

TEST(Linear, QuantizedReferenceByHand) {
  const int32_t rows = 1;
  const float x[] = {1, 2, 3};
  const signed char bytes[] = {-128, 127, 2, 1, 0, -1};
  const float scales8[] = {0.5f, 2, 1, 4};  // groups of 2: [2, 2]
  const unsigned char nibbles[] = {0xf0, 0x09, 0x87, 0x0a};
  const float scales4[] = {2, 0.5f};  // the whole row
  const float bias[] = {10, 20};
  float out[4] = {};
  LinearArgs args = {};
  args.rows = &rows;
  args.capacity = 1;
  args.in_features = 3;
  args.x = x;
  args.x_stride = 3;
  args.segments[0] = {bytes, bias, DType::int8, DType::float32, 2, scales8, 2};
  args.segments[1] = {nibbles, nullptr, DType::int4, DType::float32, 2, scales4, 3};
  args.segment_count = 2;
  args.out = out;
  args.out_stride = 4;
  const std::vector<float> expected = {85,     // 0.5 * (-128 + 254) + 2 * 6 + 10
                                       9,      // 1 * 1 + 4 * -3 + 20
                                       18,     // 2 * (-8 + 14 + 3)
                                       2.5f};  // 0.5 * (-1 + 0 + 6)
  reference_of(Op::linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 4), expected);
  EXPECT_EQ(for_each_variant(Op::linear, &args,
                             [&](const Variant& variant) {
                               variant.run(&args, {});
                               EXPECT_EQ(std::vector<float>(out, out + 4), expected) << variant.name;
                             }),
            1);
}

TEST(Linear, QuantizedVariantsMatchReference) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.pick<int64_t>({1, 2, 8, 9, 31});
    const int32_t rows = static_cast<int32_t>(random.in(random.coin() ? 0 : capacity, capacity));
    const int64_t in = random.pick<int64_t>({1, 7, 8, 33, 64, 100, 257, 515, 1100});
    std::vector<int64_t> outs;
    for (int64_t s = random.in(1, 3); s > 0; --s) outs.push_back(random.pick<int64_t>({1, 2, 3, 4, 17, 64, 129}));
    Case test(random, rows, capacity, in, outs);
    const auto sure = static_cast<int32_t>(random.in(0, static_cast<int64_t>(outs.size()) - 1));
    for (int32_t s = 0; s < test.args.segment_count; ++s) {
      if (s != sure && random.coin()) continue;  // stays a float weight
      test.quantize(random, s, random.pick<DType>({DType::int8, DType::int4}),
                    random.pick<int64_t>({1, 3, 32, 64, 128, 5000, in}));
    }
    const std::vector<float> expected = test.run(*reference_of(Op::linear), 1);
    const int found = for_each_variant(Op::linear, &test.args, [&](const Variant& variant) {
      const std::vector<float> got = test.run(variant, 1);
      EXPECT_EQ(difference(got, expected, tolerance(in)), "") << variant.name;
      EXPECT_EQ(test.run(variant, 1 + static_cast<int32_t>(random.in(1, 3))), got) << variant.name;
    });
    EXPECT_EQ(found, 1) << "the vector kernels of float weights must leave these alone";
  }
}

TEST(Linear, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.pick<int64_t>({1, 2, 3, 5, 8, 9, 16, 31, 70});
    const int32_t rows = static_cast<int32_t>(random.in(random.coin() ? 0 : capacity, capacity));
    const int64_t in = random.pick<int64_t>({1, 7, 8, 33, 64, 100, 257, 300, 515, 600});
    std::vector<int64_t> outs;
    for (int64_t s = random.in(1, 3); s > 0; --s)
      outs.push_back(random.pick<int64_t>({1, 2, 3, 15, 16, 17, 40, 64, 129, 200}));
    Case test(random, rows, capacity, in, outs);
    const std::vector<float> expected = test.run(*reference_of(Op::linear), 1);
    const int found = for_each_variant(Op::linear, &test.args, [&](const Variant& variant) {
      for (int32_t workers : {1, 1 + static_cast<int32_t>(random.in(1, 3))}) {
        EXPECT_EQ(difference(test.run(variant, workers), expected, tolerance(in)), "")
            << variant.name << ", " << workers;
      }
    });
    EXPECT_EQ(found, machine_has(Isa::avx2) ? 1 : 0) << "gemv and gemm must share out the capacities";
  }
}

TEST(Linear, LargeRowBlocksAndManyPanels) {
  Random random(7);
  for (const int32_t rows : {193, 400}) {
    Case test(random, rows, 400, 530, {260, 7, 33});
    const std::vector<float> expected = test.run(*reference_of(Op::linear), 1);
    for_each_variant(Op::linear, &test.args, [&](const Variant& variant) {
      EXPECT_EQ(difference(test.run(variant, 2), expected, tolerance(530)), "") << variant.name << ", rows " << rows;
    });
  }
}

TEST(Linear, EmptyShapes) {
  Random random(9);
  for (const int64_t capacity : {1, 20}) {
    Case no_input(random, static_cast<int32_t>(capacity), capacity, 0, {5, 20});
    Case no_output(random, static_cast<int32_t>(capacity), capacity, 9, {0, 3, 0});
    for (Case* test : {&no_input, &no_output}) {
      const std::vector<float> expected = test->run(*reference_of(Op::linear), 1);
      for_each_variant(Op::linear, &test->args, [&](const Variant& variant) {
        EXPECT_EQ(difference(test->run(variant, 3), expected, 1e-5), "") << variant.name;
      });
    }
  }
}

TEST(Linear, SameResultForAnyNumberOfWorkers) {
  Random random(11);
  Case test(random, 40, 40, 300, {130, 66});
  for_each_variant(Op::linear, &test.args, [&](const Variant& variant) {
    EXPECT_EQ(test.run(variant, 1), test.run(variant, 4)) << variant.name;
  });
}

}  // namespace
}  // namespace graft::kernels::testing
