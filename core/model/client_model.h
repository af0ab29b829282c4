// The client model: the tree run op by op with ATen, in float32 whatever the weights are stored in. Slow, plain, and
// what every fused path is compared with.
#pragma once

#include <memory>
#include <vector>

#include "core/base/op_timer.h"
#include "core/model/cache_plan.h"
#include "core/model/client_ops.h"
#include "core/model/config.h"
#include "core/model/module.h"
#include "core/model/rope.h"
#include "core/step/step_view.h"

namespace graft {

/// Owns the tree. forward() is for one thread at a time, one that may run ATen.
class ClientModel {
 public:
  /// `config` and `root` are the rank's share (core/model/shard.h); `ranks` outlives the model. `head_columns`: the
  /// columns of the head that each rank computes.
  ClientModel(const ModelConfig& config, std::unique_ptr<Module> root, Communicator& ranks,
              std::vector<int64_t> head_columns);

  const ModelConfig& config() const { return config_; }
  Module& root() { return *root_; }

  /// Float32, contiguous.
  struct Outputs {
    at::Tensor logits;  ///< [R, output_width], on every rank; undefined without a head
    at::Tensor hidden;  ///< [H, hidden_width]
  };

  /// Runs a step: writes this step's keys and values to the pool, returns the wanted rows. Its stages are laps of
  /// `timer` where there is one; a residual's addition counts towards the stage that follows it.
  Outputs forward(const StepView& step, const CachePool& pool, const std::vector<LayerCache>& caches,
                  OpTimer* timer = nullptr) const;

 private:
  struct Step;

  at::Tensor embed(const Step& step) const;
  at::Tensor embed_image(const Step& step) const;
  at::Tensor run_layer(const Module& layer, const LayerConfig& config, const Step& step, const LayerCache& cache,
                       const at::Tensor& x) const;
  at::Tensor run_head(const at::Tensor& rows) const;
  at::Tensor attention(const Module& layer, const LayerConfig& config, const Step& step, const LayerCache& cache,
                       const at::Tensor& x) const;

  at::Tensor linear(const Module& module, const at::Tensor& x) const { return client::linear(module, x, ranks_); }

  ModelConfig config_;
  std::unique_ptr<Module> root_;
  std::vector<Module*> layers_;
  std::vector<RopeTables> ropes_;
  Communicator& ranks_;
  std::vector<int64_t> head_columns_;
};

}  // namespace graft
