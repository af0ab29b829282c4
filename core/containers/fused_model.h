// A decoder whose every part is fused: embedding, layers, final norm and head over kernels alone.
#pragma once

#include <memory>
#include <vector>

#include "core/containers/fused_layer.h"
#include "core/model/cache_plan.h"
#include "core/model/config.h"
#include "core/model/rope.h"
#include "core/step/cache_pool.h"

namespace graft {

/// Immutable once made; any number of steps may be recorded from it. Keeps the weights alive.
class FusedModel {
 public:
  /// Tensors outside of the layers.
  struct Outer {
    at::Tensor token_embedding;     ///< [vocabulary, hidden]
    at::Tensor position_embedding;  ///< [positions, hidden] or undefined
    NormTensors final_norm;
    LinearTensors head;
  };

  FusedModel(const ModelConfig& config, Outer outer, std::vector<std::unique_ptr<FusedDecoderLayer>> layers);

  /// Appends a whole step for at most `capacity` tokens and `logit_capacity` wanted rows. Returns where the logits
  /// [logit_capacity, vocabulary] will be, in the arena of `ops`.
  float* record(OpList& ops, const StepView& step, const CachePool& pool, const std::vector<LayerCache>& caches,
                int64_t capacity, int64_t logit_capacity) const;

 private:
  void record_embedding(OpList& ops, const StepView& step, Activations& activations) const;
  void record_rope_tables(OpList& ops, const StepView& step, Activations& activations) const;
  float* record_head(OpList& ops, const StepView& step, Activations& activations, int64_t logit_capacity) const;

  ModelConfig config_;
  ActivationWidths widths_;
  Outer outer_;
  std::vector<std::unique_ptr<FusedDecoderLayer>> layers_;
  std::vector<RopeTables> ropes_;
};

}  // namespace graft
