#include <cmath>

#include "kernels/spec/rotary.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaRotaryTable, MatchesReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 40), sequences = 4;
    RotaryTableArgs args = {};
    args.pairs = static_cast<int32_t>(random.in(2, 64));
    std::vector<float> inverse, longer;
    for (int32_t i = 0; i < args.pairs; ++i) {
      inverse.push_back(std::pow(10000.0f, -static_cast<float>(i) / static_cast<float>(args.pairs)));
      longer.push_back(inverse.back() / 3);
    }
    std::vector<int32_t> positions, sequence_of, planned;
    for (int64_t t = 0; t < capacity; ++t) {
      positions.push_back(static_cast<int32_t>(random.in(0, 130000)));
      sequence_of.push_back(static_cast<int32_t>(random.in(0, sequences - 1)));
    }
    for (int64_t s = 0; s < sequences; ++s) planned.push_back(static_cast<int32_t>(random.in(1, 2000)));
    DeviceMemory rows(std::vector<int32_t>{static_cast<int32_t>(random.in(0, capacity))});
    DeviceMemory device_positions(positions), device_sequence_of(sequence_of), device_planned(planned);
    DeviceMemory device_inverse(inverse), device_longer(longer);
    args.rows = rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;
    args.positions = device_positions.as<int32_t>();
    args.sequence_of = device_sequence_of.as<int32_t>();
    args.planned_lengths = device_planned.as<int32_t>();
    args.inverse_frequency = device_inverse.as<float>();
    args.long_inverse_frequency = random.coin() ? device_longer.as<float>() : nullptr;
    args.long_threshold = 1000;
    args.dynamic_base = 10000;
    args.dynamic_factor = random.coin() ? 0.0f : 2.0f;
    args.attention_factor = 1.25f;
    args.long_attention_factor = 1.5f;
    const auto run = [&](const Variant& variant, bool emulate) {
      const std::vector<float> empty(static_cast<size_t>(capacity * args.pairs), -77.0f);
      DeviceMemory cosine(empty), sine(empty);
      RotaryTableArgs mine = args;
      mine.cosine = cosine.as<float>();
      mine.sine = sine.as<float>();
      if (emulate) {
        run_emulated(variant, mine);
      } else {
        variant.run(&mine, {});
      }
      std::vector<float> both = cosine.read<float>();
      const std::vector<float> second = sine.read<float>();
      both.insert(both.end(), second.begin(), second.end());
      return both;
    };
    const std::vector<float> expected = run(*reference_of(Op::rotary_table), false);
    const int found = for_each_cuda_variant(Op::rotary_table, &args, [&](const Variant& variant) {
      EXPECT_EQ(difference(run(variant, true), expected, 1e-6), "") << variant.name;
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing
