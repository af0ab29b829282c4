#include "core/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/status.h"

namespace graft {
namespace {

RopeConfig config_of(RopeKind kind) {
  RopeConfig config;
  config.kind = kind;
  config.theta = 10000;
  config.rotary_dim = 8;
  config.factor = 4;
  config.max_positions = 128;
  config.original_max_positions = 32;
  return config;
}

TEST(Rope, StandardFrequenciesAreAGeometricSeries) {
  const RopeTables tables = make_rope_tables(config_of(RopeKind::standard));
  const float expected[] = {1.0f, 0.1f, 0.01f, 0.001f};
  ASSERT_EQ(tables.inverse_frequency.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(tables.inverse_frequency[i], expected[i], 1e-7f * expected[i] + 1e-9f);
  EXPECT_EQ(tables.attention_factor, 1.0f);
}

TEST(Rope, LinearDividesByTheFactor) {
  const RopeTables tables = make_rope_tables(config_of(RopeKind::linear));
  EXPECT_FLOAT_EQ(tables.inverse_frequency[0], 0.25f);
  EXPECT_NEAR(tables.inverse_frequency[3], 0.00025f, 1e-9);
}

TEST(Rope, Llama3KeepsShortWavesAndStretchesLongOnes) {
  RopeConfig config = config_of(RopeKind::llama3);
  config.low_frequency_factor = 1;
  config.high_frequency_factor = 4;
  const RopeTables tables = make_rope_tables(config);
  // Wavelengths 6.28, 62.8, 628, 6283 against the band from 32/4 = 8 to 32/1 = 32.
  EXPECT_FLOAT_EQ(tables.inverse_frequency[0], 1.0f);
  EXPECT_NEAR(tables.inverse_frequency[1], 0.025f, 1e-8);
  EXPECT_NEAR(tables.inverse_frequency[3], 0.00025f, 1e-9);
}

TEST(Rope, YarnBlendsBetweenItsCorrectionDimensions) {
  RopeConfig config = config_of(RopeKind::yarn);
  const RopeTables tables = make_rope_tables(config);
  // correction_dimension(32) < 0 -> 0 and (1): 8 ln(32 / 2 pi) / (2 ln 10000) = 0.707 -> 1: pair 0 is kept, the rest
  // divided.
  EXPECT_FLOAT_EQ(tables.inverse_frequency[0], 1.0f);
  EXPECT_NEAR(tables.inverse_frequency[1], 0.025f, 1e-8);
  EXPECT_NEAR(tables.attention_factor, 0.1 * std::log(4.0) + 1, 1e-6);
  config.mscale = 1.0;
  config.mscale_all_dim = 0.5;
  EXPECT_NEAR(make_rope_tables(config).attention_factor, (0.1 * std::log(4.0) + 1) / (0.05 * std::log(4.0) + 1), 1e-6);
  config.attention_factor = 1.5;
  EXPECT_FLOAT_EQ(make_rope_tables(config).attention_factor, 1.5f);
}

TEST(Rope, LongRopeHasTwoTables) {
  RopeConfig config = config_of(RopeKind::longrope);
  config.short_factor = {1, 1, 1, 1};
  config.long_factor = {1, 2, 4, 8};
  const RopeTables tables = make_rope_tables(config);
  EXPECT_NEAR(tables.long_inverse_frequency[3], 0.001f / 8, 1e-9);
  EXPECT_EQ(tables.long_threshold, 32);
  EXPECT_NEAR(tables.attention_factor, std::sqrt(1 + std::log(4.0) / std::log(32.0)), 1e-6);
  config.long_factor = {1, 2};
  EXPECT_THROW(make_rope_tables(config), Error);
}

TEST(Rope, OddWidthIsRefused) {
  RopeConfig config = config_of(RopeKind::standard);
  config.rotary_dim = 7;
  EXPECT_THROW(make_rope_tables(config), Error);
}

}  // namespace
}  // namespace graft
