#include "core/model/shard_size.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include "core/base/status.h"

namespace graft {
namespace {

using Sizes = std::vector<int64_t>;

TEST(ShardSize, KnownCases) {
  EXPECT_EQ(get_shard_size_list(384, 4, "self_attn.q_proj", 6), Sizes({128, 128, 64, 64}));
  EXPECT_EQ(get_shard_size_list(101, 2, "self_attn.q_proj"), Sizes({51, 50}));
  EXPECT_EQ(get_shard_size_list(101, 2, "self_attn.q_proj", 6), Sizes({51, 50}));  // 6 does not divide 101
  EXPECT_EQ(get_shard_size_list(50257, 2, "lm_head"), Sizes({25129, 25128}));
  EXPECT_EQ(get_shard_size_list(50257, 8, "lm_head"), Sizes({6283, 6282, 6282, 6282, 6282, 6282, 6282, 6282}));
  EXPECT_EQ(get_shard_size_list(151936, 8, "lm_head"), Sizes(8, 18992));
  EXPECT_EQ(get_shard_size_list(32000, 4, "lm_head", std::nullopt, 64), Sizes(4, 8000));
}

TEST(ShardSize, WholeGrainsAndTheRestToTheLast) {
  EXPECT_EQ(get_shard_size_list(50257, 2, "lm_head", std::nullopt, 64), Sizes({25152, 25105}));
  EXPECT_EQ(get_shard_size_list(151936, 8, "lm_head", std::nullopt, 64),
            Sizes({19008, 19008, 19008, 19008, 19008, 19008, 18944, 18944}));
  EXPECT_EQ(get_shard_size_list(101, 2, "x", std::nullopt, 64), Sizes({64, 37}));
  EXPECT_EQ(get_shard_size_list(63, 2, "x", std::nullopt, 64), Sizes({32, 31}));  // below one grain
  EXPECT_EQ(get_shard_size_list(64, 2, "x", std::nullopt, 64), Sizes({64, 0}));
}

TEST(ShardSize, RanksPastTheKeyValueHeadsGetNothing) {
  EXPECT_EQ(get_shard_size_list(64, 4, "self_attn.k_proj", 2), Sizes({32, 32, 0, 0}));
}

TEST(ShardSize, NamesOfFeedForwardAndHeadsAreNoHeads) {
  for (const char* name : {"mlp", "mlp.fc1", "encoder_mlp2", "lm_head", "embed_out", "x.gate_proj", "x.up_proj",
                           "down_proj", "experts.w1", "experts.w2", "w3"}) {
    EXPECT_EQ(get_shard_size_list(384, 4, name, 6), Sizes(4, 96)) << name;
  }
  for (const char* name : {"", ".lm_head", "embed_out2", "fc1", "self_attn.q_proj", "gate"}) {
    EXPECT_EQ(get_shard_size_list(384, 4, name, 6), Sizes({128, 128, 64, 64})) << name;
  }
}

TEST(ShardSize, ShardsTileWhateverTheNumbers) {
  std::mt19937_64 random(1);
  const auto below = [&](int64_t limit) { return static_cast<int64_t>(random() % static_cast<uint64_t>(limit)); };
  for (int round = 0; round < 20000; ++round) {
    const int64_t grain = int64_t{1} << below(9);
    const int64_t ranks = 1 + below(17);
    const int64_t kv_heads = 1 + below(40);
    const int64_t total = below(2) != 0 ? below(300000) : kv_heads * below(5000);
    const std::string name = below(2) != 0 ? "self_attn.q_proj" : "mlp.fc1";
    const std::optional<int64_t> known = below(3) != 0 ? std::optional(kv_heads) : std::nullopt;
    const Sizes sizes = get_shard_size_list(total, ranks, name, known, grain);
    SCOPED_TRACE(name + " total " + std::to_string(total) + " ranks " + std::to_string(ranks) + " KV heads " +
                 std::to_string(known.value_or(0)) + " grain " + std::to_string(grain));
    ASSERT_EQ(sizes.size(), static_cast<size_t>(ranks));
    ASSERT_EQ(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}), total);
    const bool grouped = known && total % kv_heads == 0 && name != "mlp.fc1";
    const int64_t unit = grouped ? std::max<int64_t>(1, total / kv_heads) : total >= grain ? grain : 1;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      ASSERT_GE(sizes[rank], 0);
      ASSERT_LE(sizes[rank], sizes[0] + unit - 1);  // the last rank has at most a rest more
      if (rank + 1 < ranks) {
        ASSERT_EQ(sizes[rank] % unit, 0);
        ASSERT_LE(sizes[0] - sizes[rank], unit);
      }
    }
  }
}

TEST(ShardSize, LargestNumbersDoNotOverflow) {
  const int64_t huge = std::numeric_limits<int64_t>::max();  // 7^2 * 73 * 127 * 337 * 92737 * 649657
  for (const int64_t grain : {int64_t{1}, int64_t{64}, huge}) {
    EXPECT_NO_THROW(get_shard_size_list(huge, 3, "x", std::nullopt, grain));
    EXPECT_NO_THROW(get_shard_size_list(huge, 3, "x", 7, grain));
  }
  EXPECT_EQ(get_shard_size(huge, huge, "x", huge - 1), 1);
}

TEST(ShardSize, RefusesWhatIsNoRank) {
  const auto expect_refused = [](auto make, StatusCode code) {
    try {
      make();
      ADD_FAILURE() << "nothing refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find("\"fc1\""), std::string::npos) << error.what();
    }
  };
  expect_refused([] { get_shard_size(8, 2, "fc1", 2); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size(8, 2, "fc1", -1); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size(-8, 2, "fc1", 0); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size(8, 2, "fc1", 0, 0); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size(8, 2, "fc1", 0, std::nullopt, 0); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size_list(8, 0, "fc1"); }, StatusCode::invalid_argument);
  expect_refused([] { get_shard_size_list(8, 65537, "fc1"); }, StatusCode::limit_exceeded);
}

}  // namespace
}  // namespace graft
