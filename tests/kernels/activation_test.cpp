#include "kernels/spec/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

const std::vector<Activation> kinds = {Activation::gelu, Activation::gelu_tanh,  Activation::relu,
                                       Activation::silu, Activation::quick_gelu, Activation::tanh};

std::vector<float> apply(const Variant& variant, Activation kind, bool gated, const std::vector<float>& x) {
  const int32_t rows = 1;
  const int64_t width = static_cast<int64_t>(x.size()) / (gated ? 2 : 1);
  std::vector<float> out(static_cast<size_t>(width));
  const ActivationArgs args = {&rows, 1, width, kind, gated, x.data(), width, out.data(), width};
  variant.run(&args, {});
  return out;
}

TEST(Activation, ReferenceByHand) {
  const Variant& reference = *reference_of(Op::activation);
  EXPECT_NEAR(apply(reference, Activation::gelu, false, {1})[0], 0.8413447461, 1e-6);  // Phi(1)
  EXPECT_NEAR(apply(reference, Activation::gelu_tanh, false, {1})[0], 0.8411919906, 1e-6);
  EXPECT_EQ(apply(reference, Activation::relu, false, {-2})[0], 0.0f);
  EXPECT_NEAR(apply(reference, Activation::silu, false, {1})[0], 0.7310585786, 1e-6);
  EXPECT_NEAR(apply(reference, Activation::quick_gelu, false, {1})[0], 0.8457957659, 1e-6);
  EXPECT_NEAR(apply(reference, Activation::tanh, false, {1})[0], 0.7615941560, 1e-6);
  EXPECT_NEAR(apply(reference, Activation::silu, true, {1, 10})[0], 7.310585786, 1e-5);
}

TEST(Activation, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 40), width = random.pick<int64_t>({1, 7, 8, 12, 512, 515, 2000});
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    ActivationArgs args = {};
    args.rows = &rows;
    args.width = width;
    args.kind = random.pick(kinds);
    args.gated = random.coin();
    args.x_stride = width * (args.gated ? 2 : 1) + random.in(0, 3);
    args.out_stride = width + random.in(0, 3);
    const std::vector<float> x = random.normals(capacity * args.x_stride, 3.0f);
    args.x = x.data();
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> out(static_cast<size_t>(capacity * args.out_stride), -77.0f);
      args.out = out.data();
      Pool pool(workers);
      variant.run(&args, pool.context());
      return out;
    };
    const std::vector<float> expected = run(*reference_of(Op::activation), 1);
    for_each_variant(Op::activation, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) {
        EXPECT_EQ(difference(run(variant, workers), expected, 2e-6), "") << variant.name << ", " << workers;
      }
    });
  }
}

// A relative bound on every element, tiny ones included, down to where exp(-x) leaves float32's range.
TEST(Activation, SmallAndExtremeInputs) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {0.0f, -0.0f, infinity, 1e30f, -1e4f, 89.0f, -89.0f, 1e-30f, 700.0f, -700.0f};
  for (float value = 1e-8f; value < 20; value *= 1.07f) {
    x.push_back(value);
    if (value < 3) x.push_back(-value);
  }
  for (const Activation kind : kinds) {
    const std::vector<float> expected = apply(*reference_of(Op::activation), kind, false, x);
    const ActivationArgs args = {nullptr, 0, 1, kind, false, nullptr, 1, nullptr, 1};
    for_each_variant(Op::activation, &args, [&](const Variant& variant) {
      const std::vector<float> got = apply(variant, kind, false, x);
      const double bound = kind == Activation::gelu ? 2e-4 : 3e-6;  // 1 + erff(x) cancels for negative x
      EXPECT_EQ(difference(got, expected, bound, 1e-30), "") << variant.name << " kind " << static_cast<int>(kind);
      EXPECT_TRUE(std::isnan(apply(variant, kind, false, {std::nanf("")})[0]))
          << variant.name << static_cast<int>(kind);
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing
