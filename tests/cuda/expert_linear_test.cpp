#include "tests/cuda/expert_linear_case.h"

namespace graft::kernels::testing {
namespace {

const std::vector<DType> half_types = {DType::bfloat16, DType::float16};
const std::vector<DType> integer_types = {DType::int8, DType::int4};
const std::vector<DType> all_types = {DType::float32, DType::bfloat16, DType::float16, DType::int8, DType::int4};

/// The one variant that serves `spec` is called `name`, and is right.
void expect_right(Random& random, const ExpertLinearSpec& spec, const std::string& name, double rounding) {
  ExpertLinearCase test(random, spec);
  const int found = for_each_cuda_variant(
      Op::expert_linear, &test.args,
      [&](const Variant& variant) {
        EXPECT_EQ(variant.name, name);
        const auto run = [&](emulated::Order order) { return test.run(variant, order); };
        expect_right_in_all_orders(random, test, variant, rounding, run);
      },
      Isa::sm80);
  EXPECT_EQ(found, 1);
}

/// Rows, experts, layout and choice; `out` as small as emulation wants it.
ExpertLinearSpec random_spec(Random& random, int64_t least_capacity, int64_t capacity, int32_t most_experts) {
  ExpertLinearSpec spec;
  spec.capacity = random.in(least_capacity, capacity);
  spec.rows = random.in(0, 7) == 0 ? 0 : random.in(1, spec.capacity);
  spec.all_experts = static_cast<int32_t>(random.in(1, most_experts));
  spec.experts = random.coin() ? spec.all_experts : static_cast<int32_t>(random.in(1, spec.all_experts));
  spec.top_k = static_cast<int32_t>(random.in(1, std::min(spec.all_experts, 4)));
  spec.out = random.pick<int64_t>({1, 3, 17, 40, 70});
  spec.choice = random.pick<Choice>({Choice::any, Choice::any, Choice::any, Choice::one_expert, Choice::elsewhere});
  spec.layout = random.pick<Layout>({Layout::single, Layout::apart, Layout::stacked, Layout::by_turns});
  spec.by_position = random.coin();
  return spec;
}

TEST(CudaExpertLinear, General) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = random_spec(random, 1, 19, 9);
    spec.in = random.pick<int64_t>({1, 7, 33, 101});
    spec.dtype = random.pick(all_types);
    spec.group_size = random.pick<int64_t>({1, 3, 32, 5000});
    spec.misalignment = static_cast<size_t>(random.in(0, 1));
    expect_right(random, spec, "expert_linear.general.sm80", 0);
  }
}

TEST(CudaExpertLinear, Float32) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = random_spec(random, 1, 20, 6);
    spec.in = random.pick<int64_t>({4, 64, 300});
    spec.dtype = DType::float32;
    expect_right(random, spec, "expert_linear.float32.sm80", 0);
  }
}

TEST(CudaExpertLinear, Gemv) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = random_spec(random, 1, 8, 12);
    spec.in = random.pick<int64_t>({8, 64, 264, 1000});
    spec.dtype = random.pick(half_types);
    expect_right(random, spec, "expert_linear.gemv.sm80", gemv_rounding(spec.dtype));
  }
}

TEST(CudaExpertLinear, GemvQuantized) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = random_spec(random, 1, 8, 12);
    spec.in = random.pick<int64_t>({32, 64, 288, 1024});
    spec.dtype = random.pick(integer_types);
    spec.group_size = random.pick<int64_t>({32, 64, 128, 5000});
    expect_right(random, spec, "expert_linear.gemv.quantized.sm80", 0);
  }
}

// More than 8 rows to an expert while experts have few in the mean, and rows that do not fit into shared memory at
// once.
TEST(CudaExpertLinear, GemvOfManyAndDeepRows) {
  Random random(4);
  for (const DType dtype : {DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    SCOPED_TRACE(static_cast<int>(dtype));
    const std::string name = is_quantized(dtype) ? "expert_linear.gemv.quantized.sm80" : "expert_linear.gemv.sm80";
    ExpertLinearSpec spec = {19, 20, 64, 20, 2, 40, 40, dtype, 64, Choice::one_expert};
    expect_right(random, spec, name, gemv_rounding(dtype));
    spec = {8, 8, 4096 + 96, 20, 2, 3, 3, dtype, 32, Choice::one_expert};
    expect_right(random, spec, name, gemv_rounding(dtype));
    spec = {1, 1, 12288, 20, 2, 3, 3, dtype, 128};
    expect_right(random, spec, name, gemv_rounding(dtype));
  }
}

// More experts than lanes, most of them without rows.
TEST(CudaExpertLinear, ManyExperts) {
  Random random(5);
  for (const int32_t experts : {33, 64, 100, 300}) {
    SCOPED_TRACE(experts);
    expect_right(random, {7, 8, 32, 5, 4, experts, experts, DType::bfloat16}, "expert_linear.gemv.sm80",
                 gemv_rounding(DType::bfloat16));
    expect_right(random, {7, 8, 32, 5, 4, experts / 2, experts, DType::float32}, "expert_linear.float32.sm80", 0);
  }
}

// A row's result does not depend on which other rows its expert has.
TEST(CudaExpertLinear, GemvRowsStandAlone) {
  Random random(6);
  for (const DType dtype : {DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    ExpertLinearCase test(random, {8, 8, 1024, 37, 1, 1, 1, dtype, 64});
    for_each_cuda_variant(Op::expert_linear, &test.args, [&](const Variant& variant) {
      SCOPED_TRACE(variant.name + std::string(", weights ") + std::to_string(static_cast<int>(dtype)));
      const std::vector<float> all = test.run(variant);
      for (const int32_t rows : {1, 2, 3, 5}) {
        DeviceMemory few(std::vector<int32_t>{0, rows});
        const int32_t* before = test.args.offsets;
        test.args.offsets = few.as<int32_t>();
        const std::vector<float> got = test.run(variant);
        test.args.offsets = before;
        const auto count = static_cast<std::ptrdiff_t>(rows * test.args.out_stride);
        EXPECT_TRUE(std::equal(got.begin(), got.begin() + count, all.begin())) << rows;
      }
    });
  }
}

// As in linear_test.cpp.
constexpr double bfloat16_rounding = 0x1p-8 * 0.42, float16_rounding = 0x1p-11 * 0.42;
constexpr double quantized_rounding = 1.42 * bfloat16_rounding;

/// More rows than 4 to an expert.
ExpertLinearSpec gemm_spec(Random& random) {
  ExpertLinearSpec spec = random_spec(random, 20, random.pick<int64_t>({25, 70}), 5);
  spec.top_k = spec.all_experts;
  return spec;
}

TEST(CudaExpertLinear, Gemm) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = gemm_spec(random);
    spec.in = random.pick<int64_t>({8, 32, 104, 264});
    spec.dtype = random.pick(half_types);
    expect_right(random, spec, "expert_linear.gemm.sm80",
                 spec.dtype == DType::bfloat16 ? bfloat16_rounding : float16_rounding);
  }
}

TEST(CudaExpertLinear, GemmQuantized) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ExpertLinearSpec spec = gemm_spec(random);
    spec.in = random.pick<int64_t>({32, 64, 96, 288});
    spec.dtype = random.pick(integer_types);
    spec.group_size = random.pick<int64_t>({32, 64, 128, 5000});
    expect_right(random, spec, "expert_linear.gemm.quantized.sm80", quantized_rounding);
  }
}

// Each size of tile, wide enough for several, all rows with one expert; on a device with the least shared memory.
TEST(CudaExpertLinear, GemmTiles) {
  const SharedLimit device(shared_limits[0]);
  Random random(8);
  expect_right(random, {40, 40, 64, 70, 1, 4, 4, DType::bfloat16, 0, Choice::one_expert}, "expert_linear.gemm.sm80",
               bfloat16_rounding);
  expect_right(random, {150, 160, 96, 140, 2, 4, 4, DType::float16, 0, Choice::any, Layout::stacked},
               "expert_linear.gemm.sm80", float16_rounding);
  expect_right(random, {200, 210, 64, 150, 1, 2, 2, DType::bfloat16, 0, Choice::any, Layout::by_turns},
               "expert_linear.gemm.sm80", bfloat16_rounding);
  expect_right(random, {200, 210, 64, 150, 1, 1, 1, DType::int4, 32}, "expert_linear.gemm.quantized.sm80",
               quantized_rounding);
}

}  // namespace
}  // namespace graft::kernels::testing
