#include "core/model/head_shards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/status.h"

namespace graft {
namespace {

std::vector<HeadShard> deal(int64_t heads, int64_t kv_heads, int64_t ranks) {
  std::vector<HeadShard> shards;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    shards.push_back(deal_heads(heads, kv_heads, ranks, rank));
  }
  return shards;
}

void expect_shards(const std::vector<HeadShard>& found, const std::vector<HeadShard>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t rank = 0; rank < found.size(); ++rank) {
    SCOPED_TRACE("rank " + std::to_string(rank));
    EXPECT_EQ(found[rank].first_head, expected[rank].first_head);
    EXPECT_EQ(found[rank].heads, expected[rank].heads);
    EXPECT_EQ(found[rank].first_kv_head, expected[rank].first_kv_head);
    EXPECT_EQ(found[rank].kv_heads, expected[rank].kv_heads);
  }
}

/// Largest minus smallest.
int64_t spread(const std::vector<int64_t>& counts) {
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  return *most - *least;
}

TEST(DealHeads, KnownCases) {
  expect_shards(deal(6, 2, 3), {{0, 2, 0, 1}, {2, 1, 0, 1}, {3, 3, 1, 1}});
  expect_shards(deal(4, 4, 2), {{0, 2, 0, 2}, {2, 2, 2, 2}});
  expect_shards(deal(6, 6, 4), {{0, 2, 0, 2}, {2, 2, 2, 2}, {4, 1, 4, 1}, {5, 1, 5, 1}});
  expect_shards(deal(4, 1, 3), {{0, 2, 0, 1}, {2, 1, 0, 1}, {3, 1, 0, 1}});
  expect_shards(deal(4, 2, 4), {{0, 1, 0, 1}, {1, 1, 0, 1}, {2, 1, 1, 1}, {3, 1, 1, 1}});
  expect_shards(deal(20, 4, 3), {{0, 10, 0, 2}, {10, 5, 2, 1}, {15, 5, 3, 1}});
  expect_shards(deal(6, 2, 1), {{0, 6, 0, 2}});
}

TEST(DealHeads, EveryHeadOnceAndAsEvenAsTheRuleAllows) {
  for (int64_t kv_heads = 1; kv_heads <= 12; ++kv_heads) {
    for (int64_t group = 1; group <= 9; ++group) {
      const int64_t heads = kv_heads * group;
      for (int64_t ranks = 1; ranks <= heads; ++ranks) {
        SCOPED_TRACE(std::to_string(heads) + " heads, " + std::to_string(kv_heads) + " KV heads, " +
                     std::to_string(ranks) + " ranks");
        int64_t next_head = 0;
        std::vector<int64_t> holders(kv_heads, 0);
        std::vector<int64_t> kv_counts;
        std::vector<std::vector<int64_t>> queries_of(kv_heads);
        for (const HeadShard& shard : deal(heads, kv_heads, ranks)) {
          ASSERT_EQ(shard.first_head, next_head);
          ASSERT_GE(shard.heads, 1);
          ASSERT_GE(shard.kv_heads, 1);
          next_head += shard.heads;
          // the KV heads are those of its query heads, and all query heads of a rank of several are there
          ASSERT_EQ(shard.first_head / group, shard.first_kv_head);
          ASSERT_EQ((shard.first_head + shard.heads - 1) / group, shard.first_kv_head + shard.kv_heads - 1);
          ASSERT_EQ(shard.heads % shard.kv_heads, 0);
          if (shard.kv_heads > 1) {
            ASSERT_EQ(shard.heads, shard.kv_heads * group);
          }
          kv_counts.push_back(shard.kv_heads);
          for (int64_t head = shard.first_kv_head; head < shard.first_kv_head + shard.kv_heads; ++head) {
            ASSERT_LT(head, kv_heads);
            ++holders[head];
            queries_of[head].push_back(shard.heads);
          }
        }
        ASSERT_EQ(next_head, heads);
        if (ranks <= kv_heads) {
          ASSERT_EQ(std::count(holders.begin(), holders.end(), 1), kv_heads);
          ASSERT_LE(spread(kv_counts), 1);
        } else {
          ASSERT_LE(spread(holders), 1);
          for (const std::vector<int64_t>& queries : queries_of) {
            ASSERT_LE(spread(queries), 1);
          }
        }
      }
    }
  }
}

TEST(DealHeads, RefusesWhatCannotBeDealt) {
  try {
    deal_heads(6, 2, 7, 0);
    FAIL() << "7 ranks for 6 heads";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("7 ranks"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("6 query heads"), std::string::npos) << error.what();
  }
  const int64_t wrong[][4] = {{6, 4, 2, 0}, {6, 0, 2, 0},  {0, 1, 1, 0}, {-2, -1, 1, 0},
                              {6, 2, 2, 2}, {6, 2, 2, -1}, {6, 2, 0, 0}};
  for (const auto& [heads, kv_heads, ranks, rank] : wrong) {
    try {
      deal_heads(heads, kv_heads, ranks, rank);
      ADD_FAILURE() << heads << " " << kv_heads << " " << ranks << " " << rank;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::invalid_argument) << error.what();
    }
  }
}

}  // namespace
}  // namespace graft
