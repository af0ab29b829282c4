// A model whose every part is fused: embedding, layers, final norm and head over kernels alone.
#pragma once

#include <memory>
#include <optional>
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
    std::optional<DType> table_dtype;  ///< that the three tables are placed in; absent: their own
    at::Tensor token_embedding;        ///< [vocabulary, hidden], with project_in already applied
    LinearTensors patch_embedding;     ///< of a model that takes images: token_embedding is the class row, then zeros
    at::Tensor position_embedding;     ///< [positions, hidden] or undefined
    at::Tensor type_embedding;         ///< [token types, hidden] or undefined
    NormTensors embedding_norm;        ///< undefined where the configuration has none; so are the following
    NormTensors final_norm;
    LinearTensors project_out;
    LinearTensors head_dense;
    NormTensors head_norm;
    LinearTensors head;
  };

  /// Everything is the rank's share; `ranks` outlives the model. `head_columns`: the columns of the head that each
  /// rank computes. `outer` is placed by `placement`, as the layers were, and can be used once that has
  /// finished.
  FusedModel(const ModelConfig& config, Outer outer, std::vector<std::unique_ptr<FusedDecoderLayer>> layers,
             const Collectives& ranks, std::vector<int64_t> head_columns, WeightPlacement& placement);

  /// The most rows of a step that is recorded.
  struct Capacity {
    int64_t tokens = 0;
    int64_t logit_rows = 0;
    int64_t hidden_rows = 0;

    friend bool operator==(const Capacity&, const Capacity&) = default;
  };
  /// Where the wanted rows will be, in the arena of the recorded ops.
  struct Outputs {
    float* logits = nullptr;  ///< [logit_rows, output_width]; null without a head
    float* hidden = nullptr;  ///< [hidden_rows, hidden_width]
  };

  int64_t output_width() const { return config_.output_width; }
  int64_t hidden_width() const { return config_.hidden_width(); }

  /// Appends a whole step.
  Outputs record(OpList& ops, const StepView& step, const CachePool& pool, const std::vector<LayerCache>& caches,
                 const Capacity& capacity) const;

 private:
  void record_embedding(OpList& ops, const StepView& step, Activations& activations, int64_t capacity) const;
  void record_rope_tables(OpList& ops, const StepView& step, Activations& activations, int64_t capacity) const;
  float* record_rows(OpList& ops, const int32_t* rows, const int32_t* indices, int64_t capacity,
                     const float* residual) const;
  float* record_head(OpList& ops, const int32_t* rows, int64_t capacity, float* x) const;

  ModelConfig config_;
  ActivationWidths widths_;
  Outer outer_;
  std::vector<std::unique_ptr<FusedDecoderLayer>> layers_;
  struct Rope {
    RopeTables tables;                                     ///< on the host
    at::Tensor inverse_frequency, long_inverse_frequency;  ///< where the kernels read them
  };
  std::vector<Rope> ropes_;
  const Collectives& ranks_;
  std::vector<int64_t> head_columns_;
};

}  // namespace graft
