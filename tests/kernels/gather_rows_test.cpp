#include "kernels/spec/gather_rows.h"

#include <gtest/gtest.h>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(GatherRows, ReferenceByHand) {
  const int32_t rows = 3, indices[] = {1, 1, 0};
  const float x[] = {1, 2, 3, 4};
  float out[6] = {};
  const GatherRowsArgs args = {&rows, 0, indices, 2, x, out};
  reference_of(Op::gather_rows)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{3, 4, 3, 4, 1, 2}));
}

TEST(GatherRows, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 200), width = random.pick<int64_t>({1, 7, 64, 2001}), sources = 5;
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    const std::vector<float> x = random.normals(sources * width);
    std::vector<int32_t> indices;
    for (int64_t r = 0; r < capacity; ++r) indices.push_back(static_cast<int32_t>(random.in(0, sources - 1)));
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> out(static_cast<size_t>(capacity * width), -77.0f);
      const GatherRowsArgs args = {&rows, 0, indices.data(), width, x.data(), out.data()};
      Pool pool(workers);
      variant.run(&args, pool.context());
      return out;
    };
    const std::vector<float> expected = run(*reference_of(Op::gather_rows), 1);
    const GatherRowsArgs args = {&rows, 0, indices.data(), width, x.data(), nullptr};
    for_each_variant(Op::gather_rows, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) EXPECT_EQ(run(variant, workers), expected) << variant.name;
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing
