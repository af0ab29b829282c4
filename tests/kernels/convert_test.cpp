#include "kernels/spec/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/spec/rotary.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(Convert, KnownValues) {
  EXPECT_EQ(float_to_bfloat16(1.0f), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(float_from_bits(0x3f808000)), 0x3f80);  // a tie goes to even, down
  EXPECT_EQ(float_to_bfloat16(float_from_bits(0x3f818000)), 0x3f82);  // and up
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(float_to_float16(1.0f), 0x3c00);
  EXPECT_EQ(float_to_float16(65504.0f), 0x7bff);
  EXPECT_EQ(float_to_float16(65519.0f), 0x7bff);
  EXPECT_EQ(float_to_float16(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_float16(-0x1p-24f), 0x8001);
  EXPECT_EQ(float_to_float16(0x1p-25f), 0x0000);  // a tie goes to even
  EXPECT_EQ(float_to_float16(0x1.8p-24f), 0x0002);
  EXPECT_EQ(float16_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(float16_to_float(0x7c00), std::numeric_limits<float>::infinity());
}

TEST(Convert, EveryHalfRoundTrips) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float wide = float16_to_float(static_cast<uint16_t>(half)),
                brain = bfloat16_to_float(static_cast<uint16_t>(half));
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(float16_to_float(float_to_float16(wide))));
    } else {
      ASSERT_EQ(float_to_float16(wide), half);
    }
    if (std::isnan(brain)) {
      EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(brain))));
    } else {
      ASSERT_EQ(float_to_bfloat16(brain), half);
    }
  }
}

// The vector conversions of the cache writers round exactly as the scalar ones do, for any bit pattern.
TEST(Convert, VectorRoundingEqualsScalar) {
  Random random(1);
  const int32_t rows = 1, slots[] = {0};
  for (const DType dtype : {DType::bfloat16, DType::float16}) {
    for (int turn = 0; turn < 2000; ++turn) {
      float qkv[24] = {};
      for (int i = 8; i < 24; ++i) {
        qkv[i] = turn % 2 ? float_from_bits(random.engine())
                          : std::ldexp(random.normal(), static_cast<int>(random.in(-30, 20)));
      }
      RotaryCacheArgs args = {};
      args.rows = &rows;
      args.qkv = qkv;
      args.qkv_stride = 24;
      args.heads = 1;
      args.slots = slots;
      uint16_t key[8], value[8];
      args.cache = {key, value, dtype, 1, 1, 8};
      for_each_variant(Op::rotary_cache, &args, [&](const Variant& variant) {
        variant.run(&args, {});
        for (int i = 0; i < 8; ++i) {
          const float from = qkv[16 + i];
          const uint16_t expected = dtype == DType::bfloat16 ? float_to_bfloat16(from) : float_to_float16(from);
          ASSERT_EQ(value[i], expected) << variant.name << " " << from;
        }
      });
    }
  }
}

}  // namespace
}  // namespace graft::kernels::testing
