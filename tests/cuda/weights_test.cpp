// convert_weights and quantize_groups: bit for bit what the references give, from any layout of the stored weights.
#include "kernels/spec/weights.h"

#include <limits>

#include "kernels/spec/quantized.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

constexpr std::array<DType, 3> floats = {DType::float32, DType::bfloat16, DType::float16};

// Values of every size that a type has, halves between integers among them.
std::vector<float> weights(Random& random, int64_t count) {
  std::vector<float> values = random.normals(count);
  const auto scale = random.pick<float>({1.0f, 0.02f, 1e-39f, 3e38f, 0.0f});
  for (float& value : values) {
    const auto kind = random.in(0, 9);
    value = std::min(std::max(value, -1.0f), 1.0f) * scale;
    if (kind == 0) value = 0;
    if (kind == 1) value = static_cast<float>(random.in(-127, 127)) / 254 * scale;
  }
  return values;
}

TEST(CudaConvertWeights, MatchesReference) {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto rows = random.pick<int64_t>({1, 2, 31, 33, 70}), width = random.pick<int64_t>({1, 4, 30, 64, 257});
    const auto layout = random.in(0, 2);  // one after another, apart, transposed
    const int64_t apart = layout == 1 ? random.in(1, 9) : 0;
    ConvertWeightsArgs args = {};
    args.rows = rows;
    args.width = width;
    args.x_dtype = floats[static_cast<size_t>(random.in(0, 2))];
    args.out_dtype = floats[static_cast<size_t>(random.in(0, 2))];
    args.row_stride = layout == 2 ? 1 : width + apart;
    args.column_stride = layout == 2 ? rows : 1;
    const std::vector<float> values = weights(random, rows * (width + apart));
    DeviceMemory x(typed(args.x_dtype, values), random.in(0, 2) == 0 ? 4 : 0);
    args.x = x.data();
    const auto bytes = static_cast<size_t>(rows * width * float_dtype_bytes(args.out_dtype));
    std::vector<unsigned char> expected(bytes);
    args.out = expected.data();
    reference_of(Op::convert_weights)->run(&args, {});
    for (const emulated::Order order : all_orders) {
      const int found = for_each_cuda_variant(Op::convert_weights, &args, [&](const Variant& variant) {
        DeviceMemory out(bytes, random.in(0, 2) == 0 ? 4 : 0);
        ConvertWeightsArgs mine = args;
        mine.out = out.data();
        run_emulated(variant, mine, order);
        EXPECT_EQ(out.read<unsigned char>(), expected) << variant.name;
      });
      EXPECT_EQ(found, 1);
    }
  }
}

TEST(CudaQuantizeGroups, MatchesReference) {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto rows = random.pick<int64_t>({1, 3, 17}), width = random.pick<int64_t>({1, 2, 33, 64, 127, 1500, 2500});
    const bool transposed = random.in(0, 3) == 0;
    QuantizeGroupsArgs args = {};
    args.rows = rows;
    args.width = width;
    args.x_dtype = floats[static_cast<size_t>(random.in(0, 2))];
    args.via = floats[static_cast<size_t>(random.in(0, 2))];
    args.row_stride = transposed ? 1 : width;
    args.column_stride = transposed ? rows : 1;
    args.group_size = random.pick<int64_t>({1, 7, 32, 64, 128, 1024, 1100, width, width + 5});
    args.out_dtype = random.coin() ? DType::int8 : DType::int4;
    args.number = 5;
    std::vector<float> values = weights(random, rows * width);
    const bool unfit = random.in(0, 4) == 0;
    if (unfit) {
      values[static_cast<size_t>(random.in(0, rows * width - 1))] =
          random.pick<float>({std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()});
    }
    DeviceMemory x(typed(args.x_dtype, values));
    args.x = x.data();
    const auto bytes = static_cast<size_t>(rows * quantized_row_bytes(width, args.out_dtype));
    const auto groups = static_cast<size_t>(rows * quantized_groups(width, args.group_size));
    std::vector<unsigned char> expected(bytes);
    std::vector<float> expected_scales(groups);
    int32_t expected_unfit = 0;
    args.out = expected.data();
    args.scales = expected_scales.data();
    args.unfit = &expected_unfit;
    reference_of(Op::quantize_groups)->run(&args, {});
    const bool overflows = args.via == DType::float16 || args.x_dtype == DType::float16;  // of what was finite
    if (unfit || !overflows) {
      EXPECT_EQ(expected_unfit, unfit ? 5 : 0);
    }
    for (const emulated::Order order : all_orders) {
      const int found = for_each_cuda_variant(Op::quantize_groups, &args, [&](const Variant& variant) {
        DeviceMemory out(bytes), scales(groups * sizeof(float)), told(std::vector<int32_t>{0});
        QuantizeGroupsArgs mine = args;
        mine.out = out.data();
        mine.scales = scales.as<float>();
        mine.unfit = told.as<int32_t>();
        run_emulated(variant, mine, order);
        EXPECT_EQ(told.read<int32_t>()[0], expected_unfit) << variant.name;
        if (expected_unfit != 0) return;  // nobody sees the rest
        EXPECT_EQ(out.read<unsigned char>(), expected) << variant.name;
        EXPECT_EQ(scales.read<float>(), expected_scales) << variant.name;
      });
      EXPECT_EQ(found, 1);
    }
  }
}

}  // namespace
}  // namespace graft::kernels::testing
