#include "core/engine/step_plan.h"

#include <sys/mman.h>

#include <algorithm>

#include "core/base/status.h"

namespace graft {
namespace {

// Up to 8 rows a linear is a matrix-vector product; above, a matrix product.
constexpr int64_t decode_capacity = 8;

}  // namespace

StepPlan::StepPlan(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
                   const std::vector<LayerCache>& caches, KernelSelector select, int32_t workers)
    : step_(step) {
  const StepLimits& limits = step.limits();
  std::vector<int64_t> scratch;
  for (int64_t tokens : {std::min(decode_capacity, limits.tokens), limits.tokens}) {
    if (!buckets_.empty() && buckets_.back().capacity.tokens == tokens) break;
    const FusedModel::Capacity capacity = {tokens, std::min(tokens, limits.logit_rows),
                                           std::min(tokens, limits.hidden_rows)};
    Arena counting;
    OpList dry(select, workers, counting);
    model.record(dry, step.view(), pool, caches, capacity);
    counting.take(dry.scratch_bytes());
    scratch.push_back(dry.scratch_bytes());
    arena_bytes_ = std::max(arena_bytes_, counting.peak());
    buckets_.push_back({capacity, nullptr, {}});
  }
  // Steps run one after another, so the buckets share the memory.
  memory_ =
      mmap(nullptr, static_cast<size_t>(arena_bytes_), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;
    fail(StatusCode::out_of_memory, "working memory: {} bytes could not be had", arena_bytes_);
  }
  try {
    for (size_t i = 0; i < buckets_.size(); ++i) {
      Bucket& bucket = buckets_[i];
      arenas_.push_back(std::make_unique<Arena>(memory_, arena_bytes_));
      bucket.ops = std::make_unique<OpList>(select, workers, *arenas_.back());
      bucket.ops->set_scratch(arenas_.back()->take(scratch[i]));
      bucket.outputs = model.record(*bucket.ops, step.view(), pool, caches, bucket.capacity);
    }
  } catch (...) {
    munmap(memory_, static_cast<size_t>(arena_bytes_));
    throw;
  }
}

StepPlan::~StepPlan() {
  if (memory_ != nullptr) munmap(memory_, static_cast<size_t>(arena_bytes_));
}

FusedModel::Outputs StepPlan::run(const kernels::Context& context) const {
  for (const Bucket& bucket : buckets_) {
    const FusedModel::Capacity& capacity = bucket.capacity;
    if (step_.token_count() <= capacity.tokens && step_.logit_row_count() <= capacity.logit_rows &&
        step_.hidden_row_count() <= capacity.hidden_rows) {
      bucket.ops->run(context);
      return bucket.outputs;
    }
  }
  return {};  // unreachable: the buffer holds no more than the largest bucket
}

}  // namespace graft
