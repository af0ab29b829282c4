// Recorded steps of a fused model, one per bucket of token capacity, over one arena.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/containers/fused_model.h"
#include "core/containers/op_list.h"
#include "core/step/step_buffer.h"

namespace graft {

/// Records at construction; run() walks the smallest bucket that holds the step: no allocation, no ATen call.
class StepPlan {
 public:
  /// `model`, `step` and `pool` must outlive the plan.
  StepPlan(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
           const std::vector<LayerCache>& caches, KernelSelector select, int32_t workers);
  ~StepPlan();
  StepPlan(const StepPlan&) = delete;
  StepPlan& operator=(const StepPlan&) = delete;

  /// Runs the step that is in the buffer; returns its outputs, valid until the next run.
  FusedModel::Outputs run(const kernels::Context& context) const;

  /// Bytes of the arena.
  int64_t arena_bytes() const { return arena_bytes_; }

  struct Bucket {
    FusedModel::Capacity capacity;
    std::unique_ptr<OpList> ops;
    FusedModel::Outputs outputs;
  };
  const std::vector<Bucket>& buckets() const { return buckets_; }

 private:
  const StepBuffer& step_;
  void* memory_ = nullptr;
  int64_t arena_bytes_ = 0;
  std::vector<std::unique_ptr<Arena>> arenas_;
  std::vector<Bucket> buckets_;
};

}  // namespace graft
