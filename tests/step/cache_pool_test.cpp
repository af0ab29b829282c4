#include "core/step/cache_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace graft {
namespace {

CacheKind full(int64_t block_size = 4) { return {2, 3, 8, 0, block_size, DType::float32}; }
CacheKind windowed(int64_t window) { return {1, 3, 8, window, 4, DType::float32}; }

TEST(CachePool, BlockSizeFollowsHeadWidth) {
  EXPECT_EQ(block_size_for(64), 128);
  EXPECT_EQ(block_size_for(128), 64);
  EXPECT_EQ(block_size_for(256), 32);
}

TEST(CachePool, LayersDoNotOverlap) {
  CachePool pool({full()}, {5});
  const int64_t half = 5 * 3 * 4 * 8 * 4;  // blocks, heads, tokens, lanes, bytes
  const kernels::PagedCache first = pool.layer(0, 0);
  const kernels::PagedCache second = pool.layer(0, 1);
  EXPECT_EQ(static_cast<char*>(first.value) - static_cast<char*>(first.key), half);
  EXPECT_EQ(static_cast<char*>(second.key) - static_cast<char*>(first.key), 2 * half);
  EXPECT_EQ(pool.kind(0).block_bytes(), 2 * 2 * half / 5);
}

TEST(SequenceBlocks, GrowsByWholeBlocksAndGivesBack) {
  CachePool pool({full()}, {3});
  {
    SequenceBlocks sequence(pool);
    EXPECT_TRUE(sequence.grow(5));
    EXPECT_EQ(pool.free_blocks(0), 1);
    EXPECT_TRUE(sequence.grow(8));
    EXPECT_EQ(pool.free_blocks(0), 1);
    EXPECT_FALSE(sequence.grow(13));
    EXPECT_EQ(pool.free_blocks(0), 1) << "a refused growth changes nothing";
    EXPECT_EQ(sequence.length(), 8);
    EXPECT_EQ(sequence.slot(0, 6), sequence.table(0)[1] * 4 + 2);
  }
  EXPECT_EQ(pool.free_blocks(0), 3);
}

TEST(SequenceBlocks, DropsBlocksBehindTheWindow) {
  CachePool pool({windowed(6)}, {4});
  SequenceBlocks sequence(pool);
  int64_t most = 0;
  for (int64_t position = 0; position < 100; ++position) {
    sequence.drop_before(position);
    ASSERT_TRUE(sequence.grow(position + 1)) << position;
    most = std::max(most, 4 - pool.free_blocks(0));
    for (int64_t seen = std::max<int64_t>(0, position - 5); seen <= position; ++seen) {
      ASSERT_GE(sequence.slot(0, seen), 0) << "position " << seen << " is visible from " << position;
    }
  }
  EXPECT_LE(most, SequenceBlocks::most_blocks(pool.kind(0), 100, 1));
}

// Random sequences that grow, slide and end: no block is held twice, and all come back.
TEST(SequenceBlocks, FuzzedPoolStaysConsistent) {
  std::mt19937 random(7);
  CachePool pool({full(), windowed(9)}, {40, 30});
  std::vector<std::unique_ptr<SequenceBlocks>> alive;
  for (int step = 0; step < 8192; ++step) {
    if (alive.empty() || random() % 4 == 0) alive.push_back(std::make_unique<SequenceBlocks>(pool));
    auto& sequence = alive[random() % alive.size()];
    sequence->drop_before(sequence->length());
    if (!sequence->grow(sequence->length() + 1 + static_cast<int64_t>(random() % 7)) || random() % 10 == 0) {
      std::swap(sequence, alive.back());
      alive.pop_back();
    }
    for (int64_t kind = 0; kind < 2; ++kind) {
      std::set<int32_t> held;
      int64_t count = 0;
      for (const auto& one : alive) {
        for (int32_t block : one->table(kind)) {
          if (block < 0) continue;
          held.insert(block);
          ++count;
        }
      }
      ASSERT_EQ(static_cast<int64_t>(held.size()), count) << "a block has two holders";
      ASSERT_EQ(count + pool.free_blocks(kind), pool.blocks(kind));
    }
  }
}

}  // namespace
}  // namespace graft
