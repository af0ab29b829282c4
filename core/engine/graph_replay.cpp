#include "core/engine/graph_replay.h"

#include <sys/mman.h>

#include <algorithm>

#include "core/base/status.h"

namespace graft {
namespace {

// Up to 8 rows a linear is a matrix-vector product; above, a matrix product.
constexpr int64_t first_capacity = 8;
constexpr int64_t capacity_factor = 8;

std::vector<CaptureKey> ladder_of(const StepBuffer& step) {
  const StepLimits& limits = step.limits();
  std::vector<CaptureKey> ladder;
  for (int64_t tokens = first_capacity;; tokens *= capacity_factor) {
    tokens = std::min(tokens, limits.tokens);
    ladder.push_back(
        {step.view().stage, {tokens, std::min(tokens, limits.logit_rows), std::min(tokens, limits.hidden_rows)}});
    if (tokens == limits.tokens) return ladder;
  }
}

}  // namespace

GraphReplay::GraphReplay(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
                         const std::vector<LayerCache>& caches, KernelSelector select, int32_t workers, bool replay,
                         int64_t most)
    : model_(model),
      step_(step),
      pool_(pool),
      caches_(caches),
      select_(select),
      workers_(workers),
      replay_(replay),
      most_(static_cast<size_t>(std::max<int64_t>(1, most))),
      ladder_(ladder_of(step)) {
  for (const CaptureKey& key : ladder_) {
    Arena counting;
    OpList dry(select_, workers_, counting);
    model_.record(dry, step_.view(), pool_, caches_, key.capacity);
    scratch_bytes_.push_back(dry.scratch_bytes());
    counting.take(dry.scratch_bytes());
    memory_bytes_ = std::max(memory_bytes_, counting.peak());
  }
  memory_ =
      mmap(nullptr, static_cast<size_t>(memory_bytes_), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;
    fail(StatusCode::out_of_memory, "working memory: {} bytes could not be had", memory_bytes_);
  }
}

GraphReplay::~GraphReplay() {
  if (memory_ != nullptr) munmap(memory_, static_cast<size_t>(memory_bytes_));
}

CaptureKey GraphReplay::key_of_step() const {
  const auto holds = [&](const CaptureKey& key) {
    return step_.token_count() <= key.capacity.tokens && step_.logit_row_count() <= key.capacity.logit_rows &&
           step_.hidden_row_count() <= key.capacity.hidden_rows;
  };
  const auto found = std::ranges::find_if(ladder_, holds);
  return found != ladder_.end() ? *found : ladder_.back();  // the buffer holds no more than the last
}

GraphReplay::Captured GraphReplay::capture(const CaptureKey& key) {
  const auto step = static_cast<size_t>(std::ranges::find(ladder_, key) - ladder_.begin());
  Captured made{key, std::make_unique<Arena>(memory_, memory_bytes_), nullptr, {}};
  made.ops = std::make_unique<OpList>(select_, workers_, *made.arena);
  made.ops->set_scratch(made.arena->take(scratch_bytes_[step]));
  made.outputs = model_.record(*made.ops, step_.view(), pool_, caches_, key.capacity);
  ++captures_;
  return made;
}

const GraphReplay::Captured& GraphReplay::find() {
  const CaptureKey key = key_of_step();
  const auto found = std::ranges::find_if(captured_, [&](const Captured& entry) { return entry.key == key; });
  if (found != captured_.end() && replay_) {
    if (found != captured_.begin()) captured_.splice(captured_.begin(), captured_, found);
    return captured_.front();
  }
  if (!replay_) captured_.clear();
  captured_.push_front(capture(key));
  if (captured_.size() > most_) captured_.pop_back();
  return captured_.front();
}

FusedModel::Outputs GraphReplay::run(const kernels::Context& context, OpTimer* timer) {
  const int64_t captures = captures_;
  if (timer != nullptr) timer->start();
  const Captured& step = find();
  if (timer != nullptr && captures_ != captures) timer->lap("capture.step");
  step.ops->run(context, timer);
  return step.outputs;
}

}  // namespace graft
