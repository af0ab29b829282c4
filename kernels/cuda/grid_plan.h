// Grids of loops over rows and elements. Pure functions of what the host knows: how many rows there are is known on the
// device alone, so that a grid is for as many as there can be, and kernels loop over the rest.
#pragma once

#include "kernels/cuda/plan.h"

namespace graft::kernels::cuda {

/// What a launch asks for: gridDim.x and gridDim.y, blockDim.x, dynamic shared memory of a block.
struct Blocks {
  uint32_t across;
  uint32_t down;
  int32_t threads;
  int64_t shared_bytes = 0;
};

/// The most that CUDA launches.
constexpr int64_t most_across = (int64_t{1} << 31) - 1;
constexpr int64_t most_down = 65535;
constexpr int32_t most_threads = 1024;

/// The largest number of blocks that the loops below are launched with.
constexpr int64_t most_loop_blocks = 1024;

/// Blocks for a loop over `work` items with a stride of the whole grid: enough to fill the device, no more than the
/// work.
inline uint32_t grid_for(int64_t work, int32_t multiprocessors) {
  const int64_t filling = 4 * static_cast<int64_t>(multiprocessors);
  const int64_t most = filling < most_loop_blocks ? filling : most_loop_blocks;
  const int64_t blocks = work < most ? work : most;
  return static_cast<uint32_t>(blocks > 1 ? blocks : 1);
}

/// The same, where a row takes `of_row` blocks and a step has at most `capacity` rows; 0: nobody knows. Blocks that
/// have nothing to do would keep the next kernel from being there early.
inline uint32_t grid_for_rows(int64_t capacity, int64_t of_row, int32_t multiprocessors) {
  return grid_for(capacity > 0 && capacity < most_loop_blocks ? capacity * of_row : most_loop_blocks, multiprocessors);
}

/// For a loop over rows, blocks below each other, and one along each of them, blocks side by side. A row has `pieces`,
/// one to a thread at a time.
inline Blocks blocks_for_rows(int64_t capacity, int64_t pieces, int32_t threads, int32_t multiprocessors) {
  const int64_t of_row = divide_up(pieces, threads);
  const auto across = static_cast<uint32_t>(of_row < 1 ? 1 : of_row < most_loop_blocks ? of_row : most_loop_blocks);
  const uint32_t filled = grid_for_rows(capacity, across, multiprocessors);
  return {across, filled > across ? filled / across : 1, threads};
}

/// For a loop over rows whose columns have a thread each: what belongs to a column is loaded once.
inline Blocks blocks_for_columns(int64_t capacity, int64_t columns, int32_t threads) {
  constexpr int64_t most = 64;
  const int64_t down = capacity < 1 ? 1 : capacity < most ? capacity : most;
  return {static_cast<uint32_t>(divide_up(columns, threads)), static_cast<uint32_t>(down), threads};
}

}  // namespace graft::kernels::cuda
