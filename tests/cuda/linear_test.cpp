#include <cmath>

#include "kernels/cuda/linear_plan.h"
#include "tests/cuda/linear_case.h"

namespace graft::kernels::testing {
namespace {

const std::vector<DType> float_types = {DType::float32, DType::bfloat16, DType::float16};
const std::vector<DType> integer_types = {DType::int8, DType::int4};

std::vector<int64_t> some_outputs(Random& random, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> outs;
  for (int64_t s = random.in(1, 3); s > 0; --s) outs.push_back(random.pick(sizes));
  return outs;
}

bool is_cublaslt(const Variant& variant) { return std::string(variant.name).starts_with("linear.cublaslt"); }

const Variant& variant_of(const std::string& name) {
  const VariantTable& table = cuda_kernel_table();
  const auto* const* found = std::find_if(table.variants, table.variants + table.count,
                                          [&](const Variant* variant) { return variant->name == name; });
  return **found;
}

void expect_right_of(Random& random, LinearCase& test, const Variant& variant, double rounding) {
  expect_right_in_all_orders(random, test, variant, rounding, [&](emulated::Order order) {
    std::vector<float> got = test.run(variant, order);
    if (is_cublaslt(variant)) test.forget_other_rows(got);
    return got;
  });
}

/// The one variant that serves `spec` is called `name`, or leaves it to cuBLASLt where the process has that, and is
/// right; so is the one called `name`.
void expect_right(Random& random, const LinearSpec& spec, const std::string& name, double rounding) {
  LinearCase test(random, spec);
  const int found = for_each_cuda_variant(
      Op::linear, &test.args,
      [&](const Variant& variant) {
        if (is_cublaslt(variant)) return expect_right_of(random, test, variant, rounding);
        EXPECT_EQ(variant.name, name);
      },
      Isa::sm80);
  EXPECT_EQ(found, 1);
  expect_right_of(random, test, variant_of(name), rounding);
}

LinearSpec random_spec(Random& random, int64_t least_capacity, int64_t capacity) {
  LinearSpec spec;
  spec.capacity = random.in(least_capacity, capacity);
  spec.rows = random.in(0, 5) == 0 ? 0 : random.in(1, spec.capacity);
  return spec;
}

TEST(CudaLinear, General) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = random_spec(random, 1, 19);
    spec.in = random.pick<int64_t>({1, 7, 33, 101, 515});
    spec.outs = some_outputs(random, {0, 1, 3, 17, 40});
    spec.dtype = random.pick(random.coin() ? float_types : integer_types);
    spec.group_size = random.pick<int64_t>({1, 3, 32, 64, 5000});
    spec.misalignment = static_cast<size_t>(random.in(0, 1));
    expect_right(random, spec, "linear.general.sm80", 0);
  }
}

std::string gemv_name(DType dtype) {
  if (dtype == DType::float32) return "linear.gemv.float32.sm80";
  return is_quantized(dtype) ? "linear.gemv.quantized.sm80" : "linear.gemv.sm80";
}

TEST(CudaLinear, Gemv) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = random_spec(random, 1, 8);
    spec.in = random.pick<int64_t>({8, 64, 264, 1000, 4096});
    spec.outs = some_outputs(random, {0, 1, 3, 17, 64, 130});
    spec.dtype = random.pick(float_types);
    expect_right(random, spec, gemv_name(spec.dtype), gemv_rounding(spec.dtype));
  }
}

TEST(CudaLinear, GemvQuantized) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = random_spec(random, 1, 8);
    spec.in = random.pick<int64_t>({32, 64, 288, 1024, 4096});
    spec.outs = some_outputs(random, {0, 1, 3, 17, 64, 130});
    spec.dtype = random.pick(integer_types);
    spec.group_size = random.pick<int64_t>({32, 64, 128, 256, 5000, spec.in});
    expect_right(random, spec, "linear.gemv.quantized.sm80", 0);
  }
}

// Rows of x that do not fit into shared memory at once.
TEST(CudaLinear, GemvDeep) {
  for (const int64_t limit : shared_limits) {
    SCOPED_TRACE("shared memory " + std::to_string(limit));
    const SharedLimit device(limit);
    Random random(5);
    for (const DType dtype : {DType::float32, DType::bfloat16, DType::int8, DType::int4}) {
      for (const int64_t rows : {1, 3, 8}) {
        LinearSpec spec{rows, 8, 16384 + 96, {9, 70}, dtype, 32};
        expect_right(random, spec, gemv_name(dtype), gemv_rounding(dtype));
      }
    }
  }
}

// A row's result does not depend on which other rows are in the step: one row of 1, 3 or 8.
TEST(CudaLinear, GemvRowsStandAlone) {
  Random random(6);
  for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    LinearSpec spec{8, 8, 1024, {37}, dtype, 64};
    LinearCase test(random, spec);
    for_each_cuda_variant(Op::linear, &test.args, [&](const Variant& variant) {
      SCOPED_TRACE(variant.name + std::string(", weights ") + std::to_string(static_cast<int>(dtype)));
      const std::vector<float> all = test.run(variant);
      for (const int32_t rows : {1, 2, 3, 5}) {
        DeviceMemory few(std::vector<int32_t>{rows});
        const int32_t* before = test.args.rows;
        test.args.rows = few.as<int32_t>();
        const std::vector<float> got = test.run(variant);
        test.args.rows = before;
        const auto count = static_cast<std::ptrdiff_t>(rows * test.args.out_stride);
        for (std::ptrdiff_t i = 0; i < count; ++i) {
          if (i % test.args.out_stride < 37) {
            EXPECT_EQ(got[static_cast<size_t>(i)], all[static_cast<size_t>(i)]);
          }
        }
      }
    });
  }
}

// Rows of x of any size, and with numbers of very different sizes, lose no more than others.
TEST(CudaLinear, GemvOfLargeAndSmallRows) {
  Random random(7);
  for (const DType dtype : {DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    for (const float size : {1e-30f, 1e-6f, 1e6f, 1e30f, 0.0f}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(dtype)) + ", " + std::to_string(size));
      LinearSpec spec{3, 8, 512, {40}, dtype, 128};
      LinearCase test(random, spec, size);
      for_each_cuda_variant(Op::linear, &test.args, [&](const Variant& variant) {
        EXPECT_EQ(test.check(test.run(variant), gemv_rounding(dtype)), "") << variant.name;
      });
    }
  }
}

// Rounding to nearest errs by 2^-8 of the power of two below at most (bfloat16; float16: 2^-11), which for normal
// numbers is 0.42 of that in the mean of squares. Quantised weights are rounded as well as x.
constexpr double bfloat16_rounding = 0x1p-8 * 0.42, float16_rounding = 0x1p-11 * 0.42;
constexpr double quantized_rounding = 1.42 * bfloat16_rounding;

LinearSpec gemm_spec(Random& random) {
  LinearSpec spec = random_spec(random, 9, random.pick<int64_t>({9, 20, 33, 70, 140}));
  spec.in = random.pick<int64_t>({8, 32, 64, 104, 264, 800, 1304});
  spec.outs = some_outputs(random, {0, 1, 3, 17, 64, 130});
  return spec;
}

TEST(CudaLinear, Gemm) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = gemm_spec(random);
    spec.dtype = random.coin() ? DType::bfloat16 : DType::float16;
    expect_right(random, spec, "linear.gemm.sm80",
                 spec.dtype == DType::bfloat16 ? bfloat16_rounding : float16_rounding);
  }
}

TEST(CudaLinear, GemmFloat32) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = gemm_spec(random);
    spec.dtype = DType::float32;
    expect_right(random, spec, "linear.gemm.float32.sm80", 0);
  }
}

TEST(CudaLinear, GemmQuantized) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = gemm_spec(random);
    spec.in = random.pick<int64_t>({32, 64, 96, 256, 800, 1312});
    spec.dtype = random.pick(integer_types);
    spec.group_size = random.pick<int64_t>({32, 64, 128, 256, 5000, spec.in});
    expect_right(random, spec, "linear.gemm.quantized.sm80", quantized_rounding);
  }
}

// Wide enough for the large tile, deep and narrow enough for splits; on a device with the least shared memory.
TEST(CudaLinear, GemmTiles) {
  const SharedLimit device(shared_limits[0]);
  Random random(8);
  expect_right(random, {200, 270, 64, {150, 140}, DType::bfloat16, 0}, "linear.gemm.sm80", bfloat16_rounding);
  expect_right(random, {130, 130, 544, {5}, DType::float16, 0}, "linear.gemm.sm80", float16_rounding);
  expect_right(random, {100, 129, 544, {70}, DType::int4, 64}, "linear.gemm.quantized.sm80", quantized_rounding);
  expect_right(random, {12, 12, 2048, {70}, DType::bfloat16, 0}, "linear.gemm.sm80", bfloat16_rounding);
}

// float16 ends at 65504. What lies beyond may be rounded to that, but must leave nothing infinite, and no NaN.
TEST(CudaLinear, ManyLargeRowsStayFinite) {
  Random random(10);
  for (const DType dtype : {DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    for (const emulated::CublasLt there : {emulated::CublasLt::absent, emulated::CublasLt::there}) {
      const WithCublasLt library(there);
      LinearCase test(random, {17, 17, 64, {40}, dtype, 32}, 1e6f);
      const int found = for_each_cuda_variant(Op::linear, &test.args, [&](const Variant& variant) {
        SCOPED_TRACE(variant.name);
        const std::vector<float> got = test.run(variant);
        for (int64_t i = 0; i < *test.args.rows * test.args.out_stride; ++i) {
          if (i % test.args.out_stride >= test.out_features) continue;
          ASSERT_TRUE(std::isfinite(got[static_cast<size_t>(i)])) << i;
        }
      });
      EXPECT_EQ(found, 1);
    }
  }
}

/// As expect_right, where cuBLASLt serves the arguments.
void expect_cublaslt(Random& random, const LinearSpec& spec, const std::string& name, double rounding) {
  const WithCublasLt library(emulated::CublasLt::there);
  LinearCase test(random, spec);
  const int found = for_each_cuda_variant(Op::linear, &test.args, [&](const Variant& variant) {
    EXPECT_EQ(variant.name, name);
    expect_right_of(random, test, variant, rounding);
  });
  EXPECT_EQ(found, 1);
}

TEST(CudaLinear, CublasLt) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec = gemm_spec(random);
    spec.dtype = random.coin() ? DType::bfloat16 : DType::float16;
    expect_cublaslt(random, spec, "linear.cublaslt.sm80",
                    spec.dtype == DType::bfloat16 ? bfloat16_rounding : float16_rounding);
  }
}

TEST(CudaLinear, CublasLtQuantized) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearSpec spec;
    spec.capacity = random.in(256, 300);
    spec.rows = random.in(1, 20);
    spec.in = random.pick<int64_t>({32, 64, 96, 256, 1312});
    spec.outs = some_outputs(random, {0, 1, 3, 17, 130});
    spec.dtype = random.pick(integer_types);
    spec.group_size = random.pick<int64_t>({32, 64, 128, 256, 5000, spec.in});
    expect_cublaslt(random, spec, "linear.cublaslt.quantized.sm80", quantized_rounding);
  }
}

// So deep that 128 rows of the weights are all that become bfloat16 at a time.
TEST(CudaLinear, CublasLtQuantizedInParts) {
  Random random(9);
  expect_cublaslt(random, {2, 256, 131072, {130, 3}, DType::int4, 128}, "linear.cublaslt.quantized.sm80",
                  quantized_rounding);
}

}  // namespace
}  // namespace graft::kernels::testing
