// Launch plans of linear for few rows: how outputs and depth are dealt to the warps of a device, and what waits in
// shared memory meanwhile. Pure functions of shapes.
#pragma once

#include "kernels/cuda/linear_plan.h"

namespace graft::kernels::cuda {

/// Rows of x that shared memory is laid out for: the least that holds `rows`.
GRAFT_BOTH int32_t gemv_rows(int64_t rows) { return rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : 8; }

/// How the scales of a segment lie in a stage of quantised weights.
struct GemvScales {
  int32_t shift;        ///< log2 of the weights that share one; 31: a row has one
  int32_t stage_shift;  ///< log2 of those of one row in a stage
  int32_t of_row;
};

/// One block on each multiprocessor takes batches of warps / split groups of outputs; `split` warps share the depth of
/// a group.
struct GemvPlan {
  int32_t split;
  int32_t split_shift;   ///< its log2, where it is a power of two
  int32_t stages;        ///< of weights in shared memory, for each warp; 0: they wait in registers
  int32_t stage_bytes;   ///< of one warp
  int32_t partial_sets;  ///< places for the warps' sums: with two, a batch need not wait until those before are read
  GemvScales scales[LinearArgs::max_segments];
  int64_t groups;
  int64_t batches;
  int64_t grid;
  int64_t x_bytes;  ///< shared memory for rows of x, or for as much of their depth as fits
  int64_t shared_bytes;
};

/// What of a kernel the dealing depends on.
struct GemvKind {
  int32_t warps;    ///< of a block
  int32_t outputs;  ///< of a group: rows of the weights that a warp reads side by side
  int64_t step;     ///< depth that one warp takes at a time
  int64_t x_limit;  ///< bytes of shared memory that there are for x, 4 for each number
};

/// The part of the device's time that is work: batches come in rounds of one a multiprocessor, and the depth in whole
/// steps.
inline double gemv_filled(const LinearArgs& a, const GemvKind& kind, const GemvPlan& plan, int64_t multiprocessors) {
  const int64_t rounds = plan.batches > 0 ? divide_up(plan.batches, multiprocessors) : 1;
  return static_cast<double>(plan.groups * plan.split) / static_cast<double>(rounds * multiprocessors * kind.warps) *
         static_cast<double>(a.in_features) / static_cast<double>(round_up(a.in_features, kind.step * plan.split));
}

/// Of the splits that divide a block's warps, the one with which the least of the device stands idle at the ends; fewer
/// warps on a group where it hardly matters.
inline GemvPlan deal_gemv(const LinearArgs& a, const GemvKind& kind, int64_t multiprocessors) {
  GemvPlan best = {};
  double best_filled = -1;
  for (int32_t split = 1; split <= kind.warps; ++split) {
    if (kind.warps % split != 0) continue;
    const int64_t step = kind.step * split, x_row = round_up(a.in_features, step) * gemv_rows(a.capacity) * 4;
    const bool fits = step * gemv_rows(a.capacity) * 4 <= kind.x_limit;
    if (split > 1 && (!fits || kind.step * (split - 1) >= a.in_features)) break;
    GemvPlan plan = {};
    plan.split = split;
    while (split >> plan.split_shift > 1) ++plan.split_shift;
    plan.groups = output_tiles(a, kind.outputs);
    plan.batches = divide_up(plan.groups, kind.warps / split);
    plan.grid = plan.batches < multiprocessors ? plan.batches : multiprocessors;
    plan.x_bytes = x_row < kind.x_limit ? x_row : kind.x_limit;
    const double filled = gemv_filled(a, kind, plan, multiprocessors);
    if (filled > best_filled * 1.02) {
      best = plan;
      best_filled = filled;
    }
  }
  return best;
}

// --- 16-bit, int8 and int4 weights: linear_gemv.h
// ------------------------------------------------------------------------------------------

constexpr int gemv_warps = 16;
constexpr int gemv_outputs = 16;     ///< rows of a tile of the tensor cores
constexpr int gemv_row_bytes = 128;  ///< of a row of the weights in a stage
/// Sums of a block's warps before they are added up, 16 outputs of 8 rows each.
constexpr int64_t gemv_partial_bytes = gemv_warps * gemv_outputs * 8 * 4;
/// The largest number of each row of x, as each warp sees it, and the power of two that follows from them.
constexpr int64_t gemv_range_bytes = 1024;
static_assert(8 * (gemv_warps + 1) * 4 <= gemv_range_bytes);

/// Depth of a stage.
GRAFT_BOTH int64_t gemv_step(DType dtype) { return weights_per_16(dtype) * gemv_row_bytes / 16; }

inline GemvScales gemv_scales(DType dtype, int64_t group_size, int64_t in_features) {
  const int32_t shift = group_shift(group_size, in_features);
  if (shift > 30) return {31, 0, 1};
  GemvScales scales = {shift, 0, static_cast<int32_t>(((in_features - 1) >> shift) + 1)};
  while ((gemv_step(dtype) >> shift >> scales.stage_shift) > 1) ++scales.stage_shift;
  return scales;
}

/// `shared_limit`: bytes that the device lets a block have, at least least_shared_limit.
inline GemvPlan gemv_plan(const LinearArgs& a, int64_t multiprocessors, int64_t shared_limit) {
  const DType dtype = a.segments[0].weight_dtype;
  GemvPlan best = {};
  int32_t stage_bytes = gemv_outputs * gemv_row_bytes;
  if (dtype == DType::int8 || dtype == DType::int4) {
    int32_t most = 0;
    for (int32_t s = 0; s < a.segment_count; ++s) {
      best.scales[s] = gemv_scales(dtype, a.segments[s].group_size, a.in_features);
      most = best.scales[s].stage_shift > most ? best.scales[s].stage_shift : most;
    }
    stage_bytes += gemv_outputs * 4 << most;
  }
  double best_filled = -1;
  // More stages hide more of the memory's latency; fewer leave more room for x, which deep splits of many rows need.
  const int32_t sets = shared_limit >= 160 * 1024 ? 2 : 1;
  for (int32_t stages = shared_limit >= 200 * 1024 ? 4 : sets + 1; stages >= 2; --stages) {
    const int64_t beside_x = int64_t{gemv_warps} * stages * stage_bytes + sets * gemv_partial_bytes + gemv_range_bytes;
    const GemvKind kind = {gemv_warps, gemv_outputs, gemv_step(dtype), (shared_limit - beside_x) / 1024 * 1024};
    GemvPlan plan = deal_gemv(a, kind, multiprocessors);
    const double filled = gemv_filled(a, kind, plan, multiprocessors);
    if (filled <= best_filled * 1.1) continue;
    best_filled = filled;
    for (int32_t s = 0; s < a.segment_count; ++s) plan.scales[s] = best.scales[s];
    plan.stages = stages;
    plan.stage_bytes = stage_bytes;
    plan.partial_sets = sets;
    plan.shared_bytes = beside_x + plan.x_bytes;
    best = plan;
  }
  return best;
}

// --- float32 weights: linear_gemv_float32_sm80.cu
// ------------------------------------------------------------------------------------------

constexpr int gemv_float32_warps = 12;  ///< more would leave too few registers for 8 rows
constexpr int gemv_float32_outputs = 4;
constexpr int64_t gemv_float32_step = 128;  ///< each lane 16 bytes
constexpr int64_t gemv_float32_partial_bytes = 2 * gemv_float32_warps * gemv_float32_outputs * 8 * 4;

inline GemvPlan gemv_float32_plan(const LinearArgs& a, int64_t multiprocessors, int64_t shared_limit) {
  const int64_t x_limit = (shared_limit - gemv_float32_partial_bytes) / 1024 * 1024;
  GemvPlan plan = deal_gemv(a, {gemv_float32_warps, gemv_float32_outputs, gemv_float32_step, x_limit}, multiprocessors);
  plan.shared_bytes = plan.x_bytes + gemv_float32_partial_bytes;
  return plan;
}

}  // namespace graft::kernels::cuda
