// Everything decided about an engine before a weight is loaded: policy, types, limits and memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/engine/device_choice.h"
#include "core/engine/options.h"
#include "core/engine/rank_place.h"
#include "core/engine/rank_sums.h"
#include "core/model/cache_plan.h"
#include "core/model/weight_map.h"
#include "core/policies/policy.h"
#include "core/step/step_buffer.h"

namespace graft {

struct MemoryPlan {
  int64_t weight_bytes = 0;  ///< as stored in the engine's type; mapped tensors count too
  int64_t cache_bytes = 0;
  int64_t working_bytes = 0;          ///< estimate of the step's working memory
  std::vector<int64_t> cache_blocks;  ///< per kind
};

struct ModelPlan {
  explicit ModelPlan(Checkpoint opened) : checkpoint(std::move(opened)) {}

  Checkpoint checkpoint;
  PolicyMatch match;
  RankPlace place;
  DeviceChoice device;
  RankSums sums;    ///< expected; once the ranks have met, agreed
  Blueprint share;  ///< what this rank holds of match.blueprint
  std::vector<int64_t> head_columns;
  bool copy_weights = false;  ///< parts are read into memory instead of staying in the mapped file
  WeightMap weights;
  DType dtype = DType::float32;  ///< of weights and cache; arithmetic on CPU is float32
  Quantization quantization;     ///< of the layers' linear weights; group size 0: whole rows
  CachePlan cache;
  StepLimits limits;
  StepTraits traits;
  int64_t threads = 1;
  MemoryPlan memory;

  const ModelConfig& config() const { return match.blueprint.config; }
};

/// Opens the checkpoint, finds its policy, cuts out the rank's share, maps its weights and fixes the limits. Loads and
/// allocates no weight. Throws what those throw, UNSUPPORTED for a device, type or mode that is not there,
/// INVALID_ARGUMENT for a context above the model's position table or a type and a quantisation that contradict each
/// other, OUT_OF_MEMORY when memory_limit cannot hold weights
/// and the smallest cache.
ModelPlan plan_model(const std::string& path, const EngineOptions& options, const RankPlace& place = {});

/// Blocks of each kind that a sequence of `length` tokens may hold at once when fed at most `chunk` tokens a step.
std::vector<int64_t> needed_cache_blocks(const std::vector<CacheKind>& kinds, int64_t length, int64_t chunk);

}  // namespace graft
