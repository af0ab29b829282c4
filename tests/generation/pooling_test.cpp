#include "core/generation/work/pooling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/model/config.h"

namespace graft {
namespace {

const std::vector<float> rows = {1, -2, 3, 4, 8, -4};  // [3, 2]

std::vector<float> pooled(Pooling pooling, int64_t chunk) {
  Pooler pooler(pooling, 2);
  for (int64_t r = 0; r < 3; r += chunk) pooler.add(rows.data() + r * 2, std::min<int64_t>(chunk, 3 - r));
  return pooler.result();
}

TEST(Pooling, AsSentenceTransformersStateThem) {
  for (int64_t chunk : {1, 2, 3}) {
    EXPECT_EQ(pooled(Pooling::mean, chunk), (std::vector<float>{4, -2.0f / 3}));
    EXPECT_EQ(pooled(Pooling::cls, chunk), (std::vector<float>{1, -2}));
    EXPECT_EQ(pooled(Pooling::last, chunk), (std::vector<float>{8, -4}));
    EXPECT_EQ(pooled(Pooling::max, chunk), (std::vector<float>{8, 4}));
    EXPECT_EQ(pooled(Pooling::weighted_mean, chunk), (std::vector<float>{31.0f / 6, -1}));
    EXPECT_FLOAT_EQ(pooled(Pooling::mean_sqrt_len, chunk)[0], static_cast<float>(12 / std::sqrt(3.0)));
  }
}

TEST(Pooling, TokenTakesItsRow) {
  for (int64_t chunk : {1, 2, 3}) {
    for (int64_t row = 0; row < 3; ++row) {
      Pooler pooler(Pooling::token, 2, row);
      for (int64_t r = 0; r < 3; r += chunk) pooler.add(rows.data() + r * 2, std::min<int64_t>(chunk, 3 - r));
      EXPECT_EQ(pooler.result(),
                (std::vector<float>{rows[static_cast<size_t>(2 * row)], rows[static_cast<size_t>(2 * row + 1)]}));
    }
  }
}

TEST(Pooling, FirstPlaceOfTheTokenCounts) {
  EXPECT_EQ(pooled_row({5, 9, 7, 9}, 9), 1);
  EXPECT_EQ(pooled_row({5, 9, 7, 9}, 7), 2);
  EXPECT_EQ(pooled_row({5, 9, 7, 9}, ModelConfig::highest_token), 1);
  EXPECT_EQ(pooled_row({5, 9, 7, 9}, 2), std::nullopt);
}

TEST(Pooling, NormalizeGivesLengthOne) {
  std::vector<float> values = {3, 4};
  normalize(values);
  EXPECT_FLOAT_EQ(values[0], 0.6f);
  EXPECT_FLOAT_EQ(values[1], 0.8f);
  std::vector<float> zeros = {0, 0};
  normalize(zeros);
  EXPECT_EQ(zeros, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace graft
