#include "core/model/fused_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/base/status.h"

namespace graft {
namespace {

using Rows = std::vector<int64_t>;

void expect_rows(const FusedRows& found, const Rows& query, const Rows& key, const Rows& value) {
  EXPECT_EQ(found.query, query);
  EXPECT_EQ(found.key, key);
  EXPECT_EQ(found.value, value);
}

/// Every row of the weight belongs to exactly one head.
void expect_tiles(const FusedRows& rows, int64_t heads, int64_t kv_heads, int64_t head_dim) {
  EXPECT_EQ(rows.query.size(), static_cast<size_t>(heads));
  EXPECT_EQ(rows.key.size(), static_cast<size_t>(kv_heads));
  EXPECT_EQ(rows.value.size(), static_cast<size_t>(kv_heads));
  Rows all = rows.query;
  all.insert(all.end(), rows.key.begin(), rows.key.end());
  all.insert(all.end(), rows.value.begin(), rows.value.end());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i], static_cast<int64_t>(i) * head_dim);
  }
}

TEST(FusedRows, Thirds) {
  expect_rows(fused_thirds(4, 4, 2), {0, 2, 4, 6}, {8, 10, 12, 14}, {16, 18, 20, 22});
  expect_rows(fused_thirds(4, 2, 3), {0, 3, 6, 9}, {12, 15}, {18, 21});  // Phi-3 with grouped queries
}

TEST(FusedRows, Grouped) {
  expect_rows(fused_grouped(3, 3, 2), {0, 6, 12}, {2, 8, 14}, {4, 10, 16});  // BLOOM: [heads, 3, head_dim]
  expect_rows(fused_grouped(3, 1, 2), {0, 2, 4}, {6}, {8});                  // Falcon 7B: [heads + 2, head_dim]
  expect_rows(fused_grouped(4, 2, 5), {0, 5, 20, 25}, {10, 30}, {15, 35});   // Falcon 40B
}

TEST(FusedRows, CodeGenBlocksHoldQueriesValuesKeys) {
  expect_rows(fused_codegen(8, 2), {0, 2, 12, 14, 24, 26, 36, 38}, {8, 10, 20, 22, 32, 34, 44, 46},
              {4, 6, 16, 18, 28, 30, 40, 42});
}

TEST(FusedRows, BigCodeSharesOneKeyAndOneValue) { expect_rows(fused_bigcode(3, 4), {0, 4, 8}, {12}, {16}); }

TEST(FusedRows, EveryRowBelongsToOneHead) {
  for (const int64_t head_dim : {1, 3, 64}) {
    for (int64_t kv_heads = 1; kv_heads <= 6; ++kv_heads) {
      for (int64_t heads = kv_heads; heads <= 24; heads += kv_heads) {
        expect_tiles(fused_thirds(heads, kv_heads, head_dim), heads, kv_heads, head_dim);
        expect_tiles(fused_grouped(heads, kv_heads, head_dim), heads, kv_heads, head_dim);
      }
    }
    for (int64_t heads = 4; heads <= 24; heads += 4) {
      expect_tiles(fused_codegen(heads, head_dim), heads, heads, head_dim);
    }
    expect_tiles(fused_bigcode(5, head_dim), 5, 1, head_dim);
  }
}

template <class Make>
void expect_refused(Make make, StatusCode code) {
  try {
    make();
    ADD_FAILURE() << "nothing refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

TEST(FusedRows, RefusesWhatIsNoLayout) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  expect_refused([] { fused_thirds(4, 3, 2); }, StatusCode::invalid_argument);
  expect_refused([] { fused_thirds(0, 1, 2); }, StatusCode::invalid_argument);
  expect_refused([] { fused_grouped(4, 0, 2); }, StatusCode::invalid_argument);
  expect_refused([] { fused_grouped(4, -4, 2); }, StatusCode::invalid_argument);
  expect_refused([] { fused_bigcode(4, 0); }, StatusCode::invalid_argument);
  expect_refused([] { fused_codegen(6, 2); }, StatusCode::invalid_argument);
  expect_refused([=] { fused_thirds(huge, 1, 1); }, StatusCode::limit_exceeded);
  expect_refused([=] { fused_grouped(2, 2, huge / 2); }, StatusCode::limit_exceeded);
}

}  // namespace
}  // namespace graft
