#include "kernels/spec/residual_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(ResidualNorm, ReferenceByHand) {
  const int32_t rows = 1;
  float residual[] = {1, 2}, out[2] = {};
  const float delta[] = {1, 1}, delta_bias[] = {1, 1}, weight[] = {1, 2}, bias[] = {0, 100};
  ResidualNormArgs args = {};
  args.rows = &rows;
  args.width = 2;
  args.residual = residual;
  args.delta = delta;
  args.delta_bias = delta_bias;
  args.delta_bias_dtype = DType::float32;
  args.kind = NormKind::rms;
  args.weight = weight;
  args.bias = bias;
  args.weight_dtype = DType::float32;
  args.weight_offset = 1;
  args.out = out;
  reference_of(Op::residual_norm)->run(&args, {});  // residual 3, 4: root of the mean square = sqrt(12.5)
  EXPECT_EQ(residual[0], 3.0f);
  EXPECT_EQ(residual[1], 4.0f);
  EXPECT_NEAR(out[0], 3 / std::sqrt(12.5) * 2, 1e-6);
  EXPECT_NEAR(out[1], 4 / std::sqrt(12.5) * 3 + 100, 1e-5);
  args.kind = NormKind::layer;
  args.delta = nullptr;
  args.delta_bias = nullptr;
  args.weight = nullptr;
  args.bias = nullptr;
  args.epsilon = 0.75f;  // mean 3.5, variance 0.25
  reference_of(Op::residual_norm)->run(&args, {});
  EXPECT_EQ(out[0], -0.5f);
  EXPECT_EQ(out[1], 0.5f);
}

TEST(ResidualNorm, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 60), width = random.pick<int64_t>({1, 5, 8, 31, 64, 777, 1024});
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    const float shift = random.coin() ? 0.0f : 30.0f;  // a mean far from zero, for the variance
    std::vector<float> start = random.normals(capacity * width);
    for (float& value : start) value += shift;
    const std::vector<float> delta = random.normals(capacity * width);
    ResidualNormArgs args = {};
    args.rows = &rows;
    args.width = width;
    args.delta_bias_dtype = random.float_type();
    args.weight_dtype = random.float_type();
    TypedArray delta_bias(args.delta_bias_dtype, random.normals(width), random.in(0, 3));
    TypedArray weight(args.weight_dtype, random.normals(width), random.in(0, 3));
    TypedArray bias(args.weight_dtype, random.normals(width), random.in(0, 3));
    args.delta = random.coin() ? delta.data() : nullptr;
    args.delta_bias = random.coin() ? delta_bias.data() : nullptr;
    args.kind = random.coin() ? NormKind::layer : NormKind::rms;
    args.weight = random.coin() ? weight.data() : nullptr;
    args.bias = random.coin() ? bias.data() : nullptr;
    args.weight_offset = random.coin() ? 0.0f : 1.0f;
    args.epsilon = 1e-5f;
    const bool normed = random.in(0, 5) != 0;
    const bool in_place = random.in(0, 3) == 0;  // the post-norm form
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> residual = start, out(start.size(), -77.0f);
      args.residual = residual.data();
      args.out = !normed ? nullptr : in_place ? residual.data() : out.data();
      Pool pool(workers);
      variant.run(&args, pool.context());
      residual.insert(residual.end(), out.begin(), out.end());
      return residual;
    };
    const std::vector<float> expected = run(*reference_of(Op::residual_norm), 1);
    for_each_variant(Op::residual_norm, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) {
        EXPECT_EQ(difference(run(variant, workers), expected, 5e-5), "") << variant.name << ", " << workers;
      }
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing
