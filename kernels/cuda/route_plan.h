// How routing is laid out on a device: pure functions of shapes.
#pragma once

#include "kernels/cuda/plan.h"
#include "kernels/spec/route_experts.h"

namespace graft::kernels::cuda {

/// Few rows are routed and dealt by one block, a warp to a row; more by blocks of route_warps rows at a time, and then
/// one block deals their entries.
struct RoutePlan {
  bool fused;
  int32_t route_warps;  ///< of a block
  int64_t route_blocks;
  int32_t sort_warps;
  int64_t route_bytes, sort_bytes;  ///< of shared memory
};

constexpr int32_t fused_route_warps = 16;
constexpr int32_t most_sort_warps = 32;

/// A number for each expert and warp.
GRAFT_BOTH int64_t route_bytes(int32_t experts, int32_t warps) { return int64_t{4} * warps * experts; }
/// And one more for each expert.
GRAFT_BOTH int64_t sort_bytes(int32_t local_experts, int32_t warps) { return int64_t{4} * (warps + 1) * local_experts; }

inline RoutePlan route_plan(const RouteExpertsArgs& a, int64_t multiprocessors) {
  constexpr int64_t entries_of_warp = 128;  // from there on another warp is worth its count for each expert
  RoutePlan plan = {};
  plan.fused = a.capacity <= fused_route_warps;
  if (plan.fused) {
    plan.route_warps = plan.sort_warps = a.capacity < 4 ? 4 : static_cast<int32_t>(a.capacity);
    plan.route_blocks = 1;
  } else {
    plan.route_warps = 4;
    const int64_t blocks = divide_up(a.capacity, plan.route_warps), most = 4 * multiprocessors;
    plan.route_blocks = blocks < most ? blocks : most;
    const int64_t warps = divide_up(a.capacity * a.top_k, entries_of_warp);
    plan.sort_warps = warps < most_sort_warps ? static_cast<int32_t>(warps) : most_sort_warps;
    while (sort_bytes(a.local_experts, plan.sort_warps) > least_shared_limit) --plan.sort_warps;
  }
  plan.route_bytes = route_bytes(a.experts, plan.route_warps);
  plan.sort_bytes = sort_bytes(a.local_experts, plan.sort_warps);
  return plan;
}

}  // namespace graft::kernels::cuda
