#include "core/containers/group_quantizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/base/status.h"

namespace graft {
namespace {

struct Quantized {
  std::vector<int> values;
  std::vector<float> scales;
};

Quantized quantize(const std::vector<float>& x, int64_t groups, int64_t bits) {
  std::vector<int8_t> values(x.size());
  Quantized result;
  result.scales.resize(static_cast<size_t>(groups));
  quantize_groups(x.data(), static_cast<int64_t>(x.size()), groups, bits, values.data(), result.scales.data(), "w");
  result.values.assign(values.begin(), values.end());
  return result;
}

using Values = std::vector<int>;
using Scales = std::vector<float>;

TEST(GroupQuantizer, EightBitsByHand) {
  // absmax 128: scale 1. +128 is clamped to 127, -128 is not; halves go to the even neighbour.
  const Quantized up = quantize({128, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f}, 1, 8);
  EXPECT_EQ(up.scales, Scales{1});
  EXPECT_EQ(up.values, (Values{127, 0, 2, 2, 0, -2, -2, 126}));
  const Quantized down = quantize({-64, 63.75f, 63.5f, 0.25f}, 1, 8);  // scale 0.5
  EXPECT_EQ(down.scales, Scales{0.5f});
  EXPECT_EQ(down.values, (Values{-128, 127, 127, 0}));
}

TEST(GroupQuantizer, FourBitsByHand) {
  const Quantized q = quantize({-8, 7.5f, 8, 0.5f, 1.5f, -3.5f, 6.49f, -7.6f}, 1, 4);  // scale 1
  EXPECT_EQ(q.scales, Scales{1});
  EXPECT_EQ(q.values, (Values{-8, 7, 7, 0, 2, -4, 6, -8}));
}

TEST(GroupQuantizer, OddNumberOfGroupsAmongThemZeros) {
  const Quantized q = quantize({4, -2, 0, 0, -0.0f, 16, 0, -8, 1}, 3, 4);
  EXPECT_EQ(q.scales, (Scales{0.5f, 2, 1}));
  EXPECT_EQ(q.values, (Values{7, -4, 0, 0, 0, 7, 0, -8, 1}));
  const Quantized zeros = quantize({0, 0, -0.0f, 0, 0, 5}, 3, 8);
  EXPECT_EQ(zeros.values, (Values{0, 0, 0, 0, 0, 127}));
  EXPECT_EQ(zeros.scales, (Scales{0, 0, 5.0f / 128}));
}

TEST(GroupQuantizer, ExtremesOfFloat) {
  const float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  const Quantized large = quantize({-most, most, most / 2}, 1, 8);
  EXPECT_EQ(large.values, (Values{-128, 127, 64}));
  EXPECT_TRUE(std::isfinite(large.scales[0]));
  const Quantized small = quantize({least, -least}, 1, 8);  // the scale underflows: as good as zeros
  EXPECT_EQ(small.values, (Values{0, 0}));
  EXPECT_EQ(small.scales, Scales{0});
}

TEST(GroupQuantizer, AgreesWithTheFormulaInDoublePrecision) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal(0, 0.02f);
  for (const int64_t bits : {8, 4}) {
    for (const int64_t groups : {1, 3, 7, 21}) {
      std::vector<float> x(21 * 64);
      for (float& value : x) value = normal(engine);
      const Quantized q = quantize(x, groups, bits);
      const size_t size = x.size() / static_cast<size_t>(groups);
      const double low = -std::ldexp(1, static_cast<int>(bits) - 1), high = -low - 1;
      for (size_t i = 0; i < x.size(); ++i) {
        double largest = 0;
        for (size_t j = i / size * size; j < (i / size + 1) * size; ++j) {
          largest = std::max(largest, std::abs(static_cast<double>(x[j])));
        }
        const double scale = 2 * largest / std::ldexp(1, static_cast<int>(bits));
        EXPECT_EQ(static_cast<double>(q.scales[i / size]), scale);
        const double expected = std::min(high, std::max(low, std::nearbyint(static_cast<double>(x[i]) / scale)));
        EXPECT_EQ(q.values[i], static_cast<int>(expected)) << "element " << i << ", groups " << groups;
      }
    }
  }
}

TEST(GroupQuantizer, WhatIsNoNumberIsAnErrorThatNamesTheTensor) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    try {
      quantize({1, bad}, 1, 8);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::corrupt_data);
      EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos) << error.what();
    }
  }
}

TEST(GroupQuantizer, WrongGroupsAndBits) {
  EXPECT_THROW(quantize({1, 2, 3}, 2, 8), Error);
  EXPECT_THROW(quantize({1, 2, 3}, 1, 5), Error);
}

TEST(GroupQuantizer, RowsHaveAShorterLastGroup) {
  const std::vector<float> row = {8, -4, 1, 2, 16};
  std::vector<int8_t> values(5);
  std::vector<float> scales(3);
  ASSERT_EQ(groups_of_row(5, 2), 3);
  quantize_row(row.data(), 5, 2, 4, values.data(), scales.data(), "w");
  EXPECT_EQ(values, (std::vector<int8_t>{7, -4, 4, 7, 7}));
  EXPECT_EQ(scales, (Scales{1, 0.25f, 2}));
}

TEST(GroupQuantizer, PacksTheEvenIndexLow) {
  const int8_t values[] = {-8, 7, 0, -1, 3};
  uint8_t packed[3];
  pack_int4(values, 5, packed);
  EXPECT_EQ(packed[0], 0xf0);
  EXPECT_EQ(packed[1], 0x78);
  EXPECT_EQ(packed[2], 0x8b) << "padded with a zero";
}

}  // namespace
}  // namespace graft
