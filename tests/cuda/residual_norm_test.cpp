#include "kernels/spec/residual_norm.h"

#include "kernels/cuda/norm_plan.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaResidualNorm, PlansOfRandomWidths) {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const int64_t width = random.coin() ? random.in(1, 300) : random.in(1, 70000);
    const cuda::NormPlan plan = cuda::norm_plan(width, width % 4 == 0);
    EXPECT_EQ(plan.threads % 32, 0);
    EXPECT_GE(plan.threads, 32);
    EXPECT_LE(plan.threads, 1024);
    if (plan.quads > 0) {
      EXPECT_EQ(width % 4, 0);
      EXPECT_GE(int64_t{plan.threads} * plan.quads * 4, width) << "all of the row is kept";
    } else {
      EXPECT_TRUE(width % 4 != 0 || width > 16384) << width;
    }
  }
}

TEST(CudaResidualNorm, MatchesReference) {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 15);
    const auto width = random.pick<int64_t>({1, 5, 8, 31, 64, 777, 1024, 4100, 9000, seed % 10 == 0 ? 16500 : 12});
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    const float shift = random.coin() ? 0.0f : 30.0f;  // a mean far from zero, for the variance
    std::vector<float> start = random.normals(capacity * width);
    for (float& value : start) value += shift;
    DeviceMemory device_rows(std::vector<int32_t>{rows}), delta(random.normals(capacity * width));
    ResidualNormArgs args = {};
    args.rows = device_rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;
    args.width = width;
    args.delta_bias_dtype = random.float_type();
    args.weight_dtype = random.float_type();
    const auto odd = [&] { return random.in(0, 3) == 0 ? size_t{4} : size_t{0}; };
    DeviceMemory delta_bias(typed(args.delta_bias_dtype, random.normals(width)), odd());
    DeviceMemory weight(typed(args.weight_dtype, random.normals(width)), odd());
    DeviceMemory bias(typed(args.weight_dtype, random.normals(width)), odd());
    args.delta = random.coin() ? delta.as<float>() : nullptr;
    args.delta_bias = random.coin() ? delta_bias.data() : nullptr;
    args.kind = random.coin() ? NormKind::layer : NormKind::rms;
    args.weight = random.coin() ? weight.data() : nullptr;
    args.bias = random.coin() ? bias.data() : nullptr;
    args.weight_offset = random.coin() ? 0.0f : 1.0f;
    args.epsilon = 1e-5f;
    const bool normed = random.in(0, 5) != 0;
    const bool in_place = random.in(0, 3) == 0;  // the post-norm form
    const auto run = [&](const Variant& variant, const emulated::Order* order) {
      DeviceMemory residual(start), out(std::vector<float>(start.size(), -77.0f));
      ResidualNormArgs mine = args;
      mine.residual = residual.as<float>();
      mine.out = !normed ? nullptr : in_place ? residual.as<float>() : out.as<float>();
      if (order != nullptr) {
        run_emulated(variant, mine, *order);
      } else {
        variant.run(&mine, {});
      }
      std::vector<float> both = residual.read<float>();
      const std::vector<float> second = out.read<float>();
      both.insert(both.end(), second.begin(), second.end());
      return both;
    };
    const std::vector<float> expected = run(*reference_of(Op::residual_norm), nullptr);
    const int found = for_each_cuda_variant(Op::residual_norm, &args, [&](const Variant& variant) {
      for (const emulated::Order order : all_orders) {
        EXPECT_EQ(difference(run(variant, &order), expected, 5e-5), "") << variant.name;
      }
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
