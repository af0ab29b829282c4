#include "kernels/spec/activation.h"

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaActivation, MatchesReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 9), width = random.pick<int64_t>({1, 4, 7, 64, 513, 1000});
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    DeviceMemory device_rows(std::vector<int32_t>{rows});
    ActivationArgs args = {};
    args.rows = device_rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;
    args.width = width;
    args.kind = static_cast<Activation>(random.in(0, 5));
    args.gated = random.coin();
    args.x_stride = width * (args.gated ? 2 : 1) + 4 * random.in(0, 1);
    args.out_stride = width + 4 * random.in(0, 1);
    DeviceMemory x(random.normals(capacity * args.x_stride, 3.0f));
    args.x = x.as<float>();
    std::vector<float> expected(static_cast<size_t>(capacity * args.out_stride), -77.0f);
    const std::vector<float> before = expected;
    args.out = expected.data();
    reference_of(Op::activation)->run(&args, {});
    const int found = for_each_cuda_variant(Op::activation, &args, [&](const Variant& variant) {
      for (const emulated::Order order : all_orders) {
        DeviceMemory out(before);
        ActivationArgs mine = args;
        mine.out = out.as<float>();
        run_emulated(variant, mine, order);
        EXPECT_EQ(difference(out.read<float>(), expected, 2e-6), "") << variant.name;
      }
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
