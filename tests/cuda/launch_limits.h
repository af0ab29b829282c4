// What every launch plan must keep to, and how its loops cover their work.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/cuda/grid_plan.h"

namespace graft::kernels::testing {

/// Row counts are int32 on the device.
constexpr int64_t most_rows = std::numeric_limits<int32_t>::max();

/// Fails unless CUDA launches the blocks on every device that is served.
inline void expect_launchable(const cuda::Blocks& blocks) {
  EXPECT_GE(blocks.across, 1u);
  EXPECT_LE(blocks.across, cuda::most_across);
  EXPECT_GE(blocks.down, 1u);
  EXPECT_LE(blocks.down, cuda::most_down);
  EXPECT_GE(blocks.threads, 32);
  EXPECT_LE(blocks.threads, cuda::most_threads);
  EXPECT_EQ(blocks.threads % 32, 0) << "whole warps";
  EXPECT_GE(blocks.shared_bytes, 0);
  EXPECT_LE(blocks.shared_bytes, cuda::least_shared_limit);
}

/// How often each of `count` items is taken by a loop that begins at `workers` neighbouring items and goes on by as
/// many.
inline std::vector<int> taken_in_strides(int64_t count, int64_t workers) {
  std::vector<int> times(static_cast<size_t>(count));
  for (int64_t worker = 0; worker < workers; ++worker) {
    for (int64_t item = worker; item < count; item += workers) ++times[static_cast<size_t>(item)];
  }
  return times;
}

inline void expect_once(const std::vector<int>& times) {
  EXPECT_TRUE(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }));
}

/// One loop over all items, `per_block` of them to a block at a time; no block has nothing to do.
inline void expect_covers(const cuda::Blocks& blocks, int64_t count, int64_t per_block) {
  EXPECT_EQ(blocks.down, 1u);
  expect_once(taken_in_strides(count, blocks.across * per_block));
  EXPECT_LE((blocks.across - int64_t{1}) * per_block, std::max<int64_t>(count - 1, 0)) << "a block without work";
}

/// A loop over rows by blockIdx.y, and along each of them: with `strides` a loop as well, else a thread to a piece.
inline void expect_covers_rows(const cuda::Blocks& blocks, int64_t rows, int64_t pieces, bool strides) {
  expect_once(taken_in_strides(rows, blocks.down));
  EXPECT_LE(blocks.down, std::max<int64_t>(rows, 1)) << "blocks without rows";
  const int64_t threads = int64_t{blocks.across} * blocks.threads;
  if (strides) {
    expect_once(taken_in_strides(pieces, threads));
  } else {
    EXPECT_GE(threads, pieces);
  }
  EXPECT_LT(threads - blocks.threads, std::max<int64_t>(pieces, 1)) << "a block without pieces";
}

}  // namespace graft::kernels::testing
