#include "kernels/spec/combine_experts.h"

#include <algorithm>
#include <cmath>

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

/// Positions of some entries, in any order, each once; the others are elsewhere.
std::vector<int32_t> some_positions(Random& random, int64_t entries) {
  std::vector<int32_t> positions(static_cast<size_t>(entries), -1);
  int32_t next = 0;
  for (int32_t& position : positions) position = random.in(0, 3) == 0 ? -1 : next++;
  std::shuffle(positions.begin(), positions.end(), random.engine);
  if (random.in(0, 7) == 0) std::fill(positions.begin(), positions.end(), -1);
  return positions;
}

TEST(CudaCombineExperts, MatchesReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 20);
    CombineExpertsArgs args = {};
    args.capacity = capacity;
    args.top_k = static_cast<int32_t>(random.pick<int64_t>({1, 2, 4, 8, 10}));
    args.width = random.pick<int64_t>({1, 3, 4, 64, 515, 1024});
    args.x_stride = args.width + random.in(0, 4);
    args.out_stride = args.width + random.in(0, 4);
    const auto count = static_cast<int32_t>(random.in(0, capacity));
    const std::vector<int32_t> positions = some_positions(random, capacity * args.top_k);
    std::vector<float> x = random.normals(capacity * args.top_k * args.x_stride);
    int64_t used = 0;  // rows of x that no position names are NaN
    for (const int32_t position : positions) used = std::max<int64_t>(used, position + 1);
    std::fill(x.begin() + used * args.x_stride, x.end(), NAN);
    DeviceMemory rows(std::vector<int32_t>{count}), device_positions(positions), device_x(x, random.coin() ? 4 : 0);
    DeviceMemory weights(random.normals(capacity * args.top_k)), gate(random.normals(capacity));
    const std::vector<float> before = random.normals(capacity * args.out_stride);
    DeviceMemory base(random.normals(capacity * args.out_stride));
    args.rows = rows.as<int32_t>();
    args.positions = device_positions.as<int32_t>();
    args.x = device_x.as<float>();
    if (random.coin()) args.weights = weights.as<float>();
    if (random.coin()) args.base_gate = gate.as<float>();
    const int64_t kind = random.in(0, 2);  // no base, another, out itself
    std::vector<float> expected = before;
    args.out = expected.data();
    args.base = kind == 0 ? nullptr : kind == 1 ? base.as<float>() : args.out;
    reference_of(Op::combine_experts)->run(&args, {});
    const int found = for_each_cuda_variant(Op::combine_experts, &args, [&](const Variant& variant) {
      DeviceMemory out(before);
      CombineExpertsArgs mine = args;
      mine.out = out.as<float>();
      if (kind == 2) mine.base = mine.out;
      run_emulated(variant, mine, all_orders[seed % all_orders.size()]);
      EXPECT_EQ(difference(out.read<float>(), expected, 3e-6), "") << variant.name;
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
