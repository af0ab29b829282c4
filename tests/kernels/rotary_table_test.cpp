#include <gtest/gtest.h>

#include <cmath>

#include "kernels/spec/rotary.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(RotaryTable, ReferenceByHand) {
  const int32_t rows = 2, positions[] = {3, 2}, sequence_of[] = {0, 1}, planned_lengths[] = {10, 11};
  const float inverse[] = {1, 0.5f}, longer[] = {0.25f, 0.125f};
  float cosine[4] = {}, sine[4] = {};
  RotaryTableArgs args = {};
  args.rows = &rows;
  args.positions = positions;
  args.sequence_of = sequence_of;
  args.planned_lengths = planned_lengths;
  args.pairs = 2;
  args.inverse_frequency = inverse;
  args.long_inverse_frequency = longer;
  args.long_threshold = 10;
  args.attention_factor = 1;
  args.long_attention_factor = 2;
  args.cosine = cosine;
  args.sine = sine;
  const Variant& reference = *reference_of(Op::rotary_table);
  reference.run(&args, {});
  EXPECT_NEAR(cosine[0], std::cos(3.0), 1e-6);  // length 10 is not above the threshold
  EXPECT_NEAR(sine[1], std::sin(1.5), 1e-6);
  EXPECT_NEAR(cosine[2], 2 * std::cos(0.5), 1e-6);
  EXPECT_NEAR(sine[3], 2 * std::sin(0.25), 1e-6);

  // Dynamic NTK, rotary_dim 4, length 11 of 10, factor 2: base 100 * (2.2 - 1) ^ (4 / 2) = 144, so f_1 = 1 / 12.
  args.long_inverse_frequency = nullptr;
  args.dynamic_factor = 2;
  args.dynamic_base = 100;
  reference.run(&args, {});
  EXPECT_NEAR(sine[1], std::sin(1.5), 1e-6);
  EXPECT_NEAR(sine[2], std::sin(2.0), 1e-6);
  EXPECT_NEAR(sine[3], std::sin(2.0 / 12), 1e-6);
}

TEST(RotaryTable, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 150), sequences = 4;
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
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
    args.rows = &rows;
    args.positions = positions.data();
    args.sequence_of = sequence_of.data();
    args.planned_lengths = planned.data();
    args.inverse_frequency = inverse.data();
    args.long_inverse_frequency = random.coin() ? longer.data() : nullptr;
    args.long_threshold = 1000;
    args.dynamic_base = 10000;
    args.dynamic_factor = random.coin() ? 0.0f : 2.0f;
    args.attention_factor = 1.25f;
    args.long_attention_factor = 1.5f;
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> both(static_cast<size_t>(2 * capacity * args.pairs), -77.0f);
      args.cosine = both.data();
      args.sine = both.data() + capacity * args.pairs;
      Pool pool(workers);
      variant.run(&args, pool.context());
      return both;
    };
    const std::vector<float> expected = run(*reference_of(Op::rotary_table), 1);
    for_each_variant(Op::rotary_table, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) {
        EXPECT_EQ(difference(run(variant, workers), expected, 1e-6), "") << variant.name << ", " << workers;
      }
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing
