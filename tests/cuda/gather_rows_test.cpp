#include "kernels/spec/gather_rows.h"

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaGatherRows, MatchesReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 20), from_rows = random.in(1, 20);
    const auto width = random.pick<int64_t>({1, 3, 4, 64, 1023, 1500});
    std::vector<int32_t> indices;
    for (int64_t r = 0; r < capacity; ++r) indices.push_back(static_cast<int32_t>(random.in(0, from_rows - 1)));
    DeviceMemory rows(std::vector<int32_t>{static_cast<int32_t>(random.in(0, capacity))}), device_indices(indices);
    DeviceMemory x(random.normals(from_rows * width), random.in(0, 2) == 0 ? 4 : 0);
    GatherRowsArgs args = {};
    args.rows = rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;
    args.indices = device_indices.as<int32_t>();
    args.width = width;
    args.x = x.as<float>();
    const std::vector<float> before(static_cast<size_t>(capacity * width), -77.0f);
    std::vector<float> expected = before;
    args.out = expected.data();
    reference_of(Op::gather_rows)->run(&args, {});
    const int found = for_each_cuda_variant(Op::gather_rows, &args, [&](const Variant& variant) {
      DeviceMemory out(before);
      GatherRowsArgs mine = args;
      mine.out = out.as<float>();
      run_emulated(variant, mine);
      EXPECT_EQ(out.read<float>(), expected) << variant.name;
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
