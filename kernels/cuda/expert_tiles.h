// Which rows a block of expert_linear takes: found on the device from the experts' offsets.
#pragma once

#include "kernels/cuda/reduce.h"
#include "kernels/spec/expert_linear.h"

namespace graft::kernels::cuda {

/// Neighbouring positions of one expert.
struct ExpertTile {
  int32_t expert;
  int32_t first;  ///< position
  int32_t rows;   ///< 0: there are fewer tiles
};

/// Tile number `tile` of up to 2^shift positions, counted expert after expert; by a whole warp, all lanes of which get
/// it. Lanes look at neighbouring experts each.
__device__ __forceinline__ ExpertTile find_expert_tile(const ExpertLinearArgs& a, int32_t shift, int32_t tile) {
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  const int32_t each = (a.experts + 31) / 32, begin = min(lane * each, a.experts), end = min(begin + each, a.experts);
  const int32_t rounding = (1 << shift) - 1;
  int32_t own = 0, before = a.offsets[begin];
#pragma unroll 4
  for (int32_t e = begin; e < end; ++e) {
    const int32_t after = a.offsets[e + 1];
    own += (after - before + rounding) >> shift;
    before = after;
  }
  int32_t sum = own;  // tiles up to this lane's last
#pragma unroll
  for (int32_t by = 1; by < 32; by *= 2) {
    const int32_t below = __shfl_up_sync(all_lanes, sum, by);
    sum += lane >= by ? below : 0;
  }
  const int32_t owner = __ffs(static_cast<int32_t>(__ballot_sync(all_lanes, sum > tile))) - 1;
  if (owner < 0) return {0, 0, 0};
  ExpertTile found = {0, 0, 0};
  if (lane == owner) {
    int32_t left = tile - (sum - own);
    for (int32_t e = begin; e < end; ++e) {
      const int32_t first = a.offsets[e], rows = a.offsets[e + 1] - first, tiles = (rows + rounding) >> shift;
      if (left >= 0 && left < tiles) {
        const int32_t skipped = left << shift;
        found = {e, first + skipped, min(rows - skipped, 1 << shift)};
      }
      left -= tiles;
    }
  }
  found.expert = __shfl_sync(all_lanes, found.expert, owner);
  found.first = __shfl_sync(all_lanes, found.first, owner);
  found.rows = __shfl_sync(all_lanes, found.rows, owner);
  return found;
}

/// The row of x that belongs to a position.
__device__ __forceinline__ int32_t expert_x_row(const ExpertLinearArgs& a, int32_t position) {
  return a.entries != nullptr ? a.entries[position] / a.top_k : position;
}
__device__ __forceinline__ float expert_scale(const ExpertLinearArgs& a, int32_t position) {
  return a.entry_scales != nullptr ? a.entry_scales[a.entries[position]] : 1.0f;
}

}  // namespace graft::kernels::cuda
