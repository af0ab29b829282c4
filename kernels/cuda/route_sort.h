// Entries put in order of their experts by one block: a stable counting sort. Each warp has a stretch of the entries
// and a count for each expert; what the warps before it have of an expert, and what all have of the experts before,
// tells where its own go.
#pragma once

#include "kernels/cuda/reduce.h"
#include "kernels/spec/route_experts.h"

namespace graft::kernels::cuda {

class RouteSort {
 public:
  /// By all threads of a block of whole warps. `shared`: sort_bytes (route_plan.h).
  __device__ __forceinline__ RouteSort(const RouteExpertsArgs& args, int32_t* shared)
      : a(args),
        starts(shared),
        counts(shared + args.local_experts),
        count(*args.rows * args.top_k),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        warps(static_cast<int32_t>(blockDim.x / 32)) {
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < warps * a.local_experts;
         i += static_cast<int32_t>(blockDim.x)) {
      counts[i] = 0;
    }
    __syncthreads();
    walk<false>();
    __syncthreads();
    add_warps();
    __syncthreads();
    if (warp == 0) add_experts();
    __syncthreads();
    walk<true>();
  }

 private:
  /// Counts this warp's entries, or with Place puts them where they belong.
  template <bool Place>
  __device__ __forceinline__ void walk() {
    const int32_t stretch = (count + 32 * warps - 1) / (32 * warps) * 32;
    const int32_t begin = warp * stretch, end = min(begin + stretch, count);
    int32_t* mine = counts + warp * a.local_experts;
    int32_t next = begin + lane < end ? a.expert_ids[begin + lane] : -1;
    for (int32_t first = begin; first < end; first += 32) {
      const int32_t entry = first + lane;
      int32_t expert = entry < end ? next - a.first_expert : -1;
      next = entry + 32 < end ? a.expert_ids[entry + 32] : -1;  // on the way meanwhile
      if (expert < 0 || expert >= a.local_experts) expert = -1;
      const unsigned same = __match_any_sync(all_lanes, expert);
      const int32_t before = __popc(same & ((1u << lane) - 1u)), all = __popc(same);
      const int32_t counted = expert >= 0 ? mine[expert] : 0;
      if constexpr (Place) {
        const int32_t position = expert >= 0 ? starts[expert] + counted + before : -1;
        if (expert >= 0) a.entries[position] = entry;
        if (entry < end) a.positions[entry] = position;
      }
      __syncwarp();  // all have read
      if (expert >= 0 && before == 0) mine[expert] = counted + all;
      __syncwarp();
    }
  }

  /// A warp's count becomes that of the warps before it; starts become the experts' counts.
  __device__ __forceinline__ void add_warps() {
    for (int32_t e = static_cast<int32_t>(threadIdx.x); e < a.local_experts; e += static_cast<int32_t>(blockDim.x)) {
      int32_t sum = 0;
      for (int32_t w = 0; w < warps; ++w) {
        const int32_t own = counts[w * a.local_experts + e];
        counts[w * a.local_experts + e] = sum;
        sum += own;
      }
      starts[e] = sum;
    }
  }

  /// Counts of experts become those of the experts before, by one warp, each lane for neighbours.
  __device__ __forceinline__ void add_experts() {
    const int32_t each = (a.local_experts + 31) / 32, begin = lane * each, end = min(begin + each, a.local_experts);
    int32_t own = 0;
    for (int32_t e = begin; e < end; ++e) own += starts[e];
    int32_t sum = own;
#pragma unroll
    for (int32_t by = 1; by < 32; by *= 2) {
      const int32_t below = __shfl_up_sync(all_lanes, sum, by);
      sum += lane >= by ? below : 0;
    }
    if (lane == 31) a.offsets[a.local_experts] = sum;
    sum -= own;
    for (int32_t e = begin; e < end; ++e) {
      const int32_t of_expert = starts[e];
      a.offsets[e] = starts[e] = sum;
      sum += of_expert;
    }
  }

  const RouteExpertsArgs& a;
  int32_t* starts;
  int32_t* counts;
  const int32_t count, lane, warp, warps;
};

}  // namespace graft::kernels::cuda
