#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/engine/model_plan.h"

namespace graft {

/// "nccl", or "staged: ranks 0 and 1 share a device".
std::string describe_sums(const RankSums& sums);
/// "on", "off", or "off: " with the reason where it was asked for.
std::string describe_graph(const EngineOptions& options, const RankSums& sums);

/// The JSON of graft_engine_inspect and graft_engine_info: policy, types, quantisation (null: none), limits, what is
/// replaced, the split, how ranks add up, memory, why "auto" is the CPU and, before loading, the module tree.
nlohmann::json describe_plan(const ModelPlan& plan, const EngineOptions& options, bool loaded);

}  // namespace graft
