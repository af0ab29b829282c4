// What stands between linear and cuBLASLt, over the emulation's own.
#include "kernels/cuda/matmul.h"

#include "kernels/cuda/linear_cublaslt_plan.h"
#include "tests/cuda/linear_case.h"

namespace graft::kernels::testing {
namespace {

const Variant& only_variant(const LinearCase& test) {
  const Variant* found = nullptr;
  for_each_cuda_variant(Op::linear, &test.args, [&](const Variant& variant) { found = &variant; });
  return *found;
}

TEST(Matmul, LooksUpEachProductOnce) {
  const WithCublasLt library(emulated::CublasLt::there);
  void* handle = cuda::matmul_handle_new();
  ASSERT_NE(handle, nullptr);
  DeviceMemory x(4096), weights(4096), out(4096);
  cuda::MatmulArgs args = {DType::bfloat16, x.data(), weights.data(), 9, 5, 8, out.as<float>(), 5, false, nullptr};
  int& asked = emulated::device().algorithms_asked;
  asked = 0;
  for (int layer = 0; layer < 3; ++layer) EXPECT_TRUE(cuda::matmul_serves(handle, args));
  EXPECT_EQ(asked, 1);
  args.dtype = DType::float16;
  EXPECT_TRUE(cuda::matmul_serves(handle, args));
  ++args.columns;
  ++args.out_stride;
  EXPECT_TRUE(cuda::matmul_serves(handle, args));
  args.weight = weights.as<unsigned char>() + 16;  // less aligned than the page
  EXPECT_TRUE(cuda::matmul_serves(handle, args));
  EXPECT_EQ(asked, 4);
  cuda::matmul_handle_free(handle);
}

TEST(Matmul, ThereIsNoHandleWithoutTheLibrary) {
  EXPECT_FALSE(cuda::has_matmul());
  EXPECT_EQ(cuda::matmul_handle_new(), nullptr);
  EXPECT_FALSE(cuda::matmul_serves(nullptr, {}));
  EXPECT_FALSE(cuda::matmul(nullptr, {}, nullptr));
  cuda::matmul_handle_free(nullptr);
}

// Graft's own kernel takes over, to the bit, and nothing was added twice on the way.
TEST(Matmul, WhereThereIsNoAlgorithmTheKernelServes) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const bool quantized = random.coin();
    LinearSpec spec{random.in(1, 9), quantized ? 256 : 12, 64, {7, 33}, quantized ? DType::int8 : DType::bfloat16, 32};
    LinearCase test(random, spec);
    const Variant& own = only_variant(test);
    const std::vector<float> expected = test.run(own);
    const WithCublasLt library(emulated::CublasLt::without_algorithms);
    const Variant& variant = only_variant(test);
    EXPECT_NE(&variant, &own);
    EXPECT_EQ(test.run(variant), expected);
  }
}

TEST(Matmul, ScratchHoldsEveryPart) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    LinearArgs args = {};
    args.capacity = random.in(9, 5000);
    args.in_features = 32 * random.in(1, random.coin() ? 20 : 9000);
    args.segment_count = static_cast<int32_t>(random.in(1, 3));
    const DType dtype = random.pick<DType>({DType::bfloat16, DType::float16, DType::int8, DType::int4});
    int64_t most = 0;
    for (int32_t s = 0; s < args.segment_count; ++s) {
      args.segments[s].weight_dtype = dtype;
      args.segments[s].out_features = random.in(0, random.pick<int64_t>({3, 200, 130000}));
      most = std::max(most, args.segments[s].out_features);
    }
    const cuda::CublasLtPlan plan = cuda::cublaslt_plan(args);
    EXPECT_GE(plan.x_bytes, 2 * args.capacity * args.in_features);
    EXPECT_EQ((plan.x_bytes | plan.weight_bytes) % 256, 0);
    EXPECT_GE(plan.scratch_bytes, 255 + plan.x_bytes + plan.weight_bytes + cuda::matmul_workspace_bytes);
    EXPECT_EQ(plan.weight_rows > 0, is_quantized(dtype) && most > 0);
    EXPECT_GE(plan.weight_bytes, 2 * plan.weight_rows * args.in_features);
    if (plan.weight_rows < most && is_quantized(dtype)) {
      EXPECT_EQ(plan.weight_rows % 128, 0);
      EXPECT_LE(plan.weight_bytes, (int64_t{32} << 20) + 256 * args.in_features);
      const int64_t parts = cuda::divide_up(most, plan.weight_rows), last = most - (parts - 1) * plan.weight_rows;
      EXPECT_GT(last, plan.weight_rows - 128 * parts) << "about as large as the others";
    }
  }
}

}  // namespace
}  // namespace graft::kernels::testing
