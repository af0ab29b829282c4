#include "core/engine/graph_replay.h"

#include <algorithm>

#include "core/containers/next_tokens.h"

namespace graft {
namespace {

// Up to 8 rows a linear is a matrix-vector product; above, a matrix product. On a device grids, tiles, shared memory
// and sums over ranks are those of the capacity, and products may be of all rows that it has: one token has a capacity
// of its own, and above 8 no step is computed as more than twice its size.
int64_t capacity_after(int64_t tokens, bool on_host) { return on_host || tokens < 8 ? 8 * tokens : 2 * tokens; }

std::vector<CaptureKey> ladder_of(const StepBuffer& step, bool on_host) {
  const StepLimits& limits = step.limits();
  std::vector<CaptureKey> ladder;
  for (int64_t tokens = on_host ? 8 : 1;; tokens = capacity_after(tokens, on_host)) {
    tokens = std::min(tokens, limits.tokens);
    ladder.push_back(
        {step.view().stage, {tokens, std::min(tokens, limits.logit_rows), std::min(tokens, limits.hidden_rows)}});
    if (tokens == limits.tokens) return ladder;
  }
}

}  // namespace

GraphReplay::GraphReplay(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
                         const std::vector<LayerCache>& caches, Device& device, bool replay, RunAhead pace,
                         int64_t most)
    : model_(model),
      step_(step),
      pool_(pool),
      caches_(caches),
      device_(device),
      replay_(replay),
      most_(static_cast<size_t>(std::max<int64_t>(1, most))),
      ladder_(ladder_of(step, device.is_host())) {
  int64_t bytes = 0, staging_bytes = 0;
  for (const CaptureKey& key : ladder_) {
    Arena counting;
    OpList dry = make_ops(counting);
    const FusedModel::Outputs outputs = model_.record(dry, step_.view(), pool_, caches_, key.capacity);
    record_tokens(dry, step_.view(), key, outputs.logits);
    scratch_bytes_.push_back(dry.scratch_bytes());
    staging_bytes = std::max(staging_bytes, dry.staging_bytes());
    counting.take(dry.scratch_bytes());
    bytes = std::max(bytes, counting.peak());
  }
  memory_ = SpaceMemory(device_, bytes, "working memory");
  if (device_.is_host()) return;
  prepare_device(staging_bytes);
  if (chooses()) ahead_ = std::make_unique<StepsAhead>(step_, pool_, device_, pace);
}

// No step allocates: another rank's device may by then be in a sum that waits for this one, and an allocation for it.
void GraphReplay::prepare_device(int64_t staging_bytes) {
  const StepLimits& limits = step_.limits();
  const int64_t values = limits.logit_rows * model_.output_width() + limits.hidden_rows * model_.hidden_width();
  fetched_ = SpaceMemory(device_, values * static_cast<int64_t>(sizeof(float)), "outputs of a step",
                         SpaceMemory::Kind::staging);
  if (staging_bytes > 0) {
    staging_ = SpaceMemory(device_, staging_bytes, "staging memory of collectives", SpaceMemory::Kind::staging);
  }
  for (const CaptureKey& key : ladder_) {
    const auto& [tokens, logit_rows, hidden_rows] = key.capacity;
    mirrors_.push_back(
        std::make_unique<StepMirror>(step_, StepMirror::Capacity{tokens, logit_rows, hidden_rows}, device_));
  }
  most_ = std::max(most_, ladder_.size());
  for (auto key = ladder_.rbegin(); key != ladder_.rend(); ++key) {  // decoding's last, so first
    Captured made = capture(*key);
    if (!made.graph) load_kernels(made);
    if (replay_) keep(std::move(made));
  }
}

// A device loads a kernel when it is first launched, and may wait for all its work before it does: in a step that
// would be a sum that waits for this rank. So each runs here once, with no rows; in a graph the capture loads them.
void GraphReplay::load_kernels(const Captured& step) {
  step.mirror->update();  // the buffer is empty
  step.ops->run_kernels(device_.context());
  device_.synchronize();
}

void GraphReplay::forget() {
  captured_.clear();
  if (ahead_) ahead_->forget();
}

const GraphReplay::Captured& GraphReplay::keep(Captured made) {
  captured_.push_front(std::move(made));
  if (captured_.size() > most_) captured_.pop_back();
  return captured_.front();
}

OpList GraphReplay::make_ops(Arena& arena) const {
  const auto select = [this](kernels::Op op, const void* args) { return device_.select(op, args); };
  return OpList(select, device_.workers(), arena, device_);
}

// The arrays become those of the next step where there may be one, that is where every sequence has a row of logits.
const int32_t* GraphReplay::record_tokens(OpList& ops, const StepView& view, const CaptureKey& key,
                                          const float* logits) const {
  if (!chooses()) return nullptr;
  const FusedModel::Capacity& capacity = key.capacity;
  const int32_t* tokens = record_choice(ops, view, capacity.logit_rows, logits, model_.output_width());
  const int64_t sequences = std::min(step_.limits().sequences, capacity.tokens);
  if (sequences <= capacity.logit_rows) {
    ops.add(kernels::Op::next_step, next_step_args(view, pool_, sequences, tokens));
  }
  return tokens;
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
  Captured made;
  made.key = key;
  made.arena = std::make_unique<Arena>(memory_.data(), memory_.bytes());
  if (!mirrors_.empty()) made.mirror = mirrors_[step].get();
  made.ops = std::make_unique<OpList>(make_ops(*made.arena));
  made.ops->set_scratch(made.arena->take(scratch_bytes_[step]));
  made.ops->set_staging(staging_.data());
  const StepView& view = made.mirror != nullptr ? made.mirror->view() : step_.view();
  made.outputs = model_.record(*made.ops, view, pool_, caches_, key.capacity);
  made.tokens = record_tokens(*made.ops, view, key, made.outputs.logits);
  if (replay_ && made.ops->staging_bytes() == 0)
    made.graph = device_.capture([&] { made.ops->run(device_.context()); });
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
  return keep(capture(key));
}

GraphReplay::Outputs GraphReplay::run(OpTimer* timer) {
  start(timer);
  return finish();
}

void GraphReplay::start(OpTimer* timer) {
  outputs_ = {};
  if (timer == nullptr && is_started()) return ahead_->take();
  if (ahead_) ahead_->forget();
  const int64_t captures = captures_;
  if (timer != nullptr) timer->start();
  const Captured& step = find();
  if (timer != nullptr && captures_ != captures) timer->lap("capture.step");
  if (step.mirror != nullptr) {
    step.mirror->update();
    if (timer != nullptr) {
      device_.synchronize();
      timer->lap("copy.step");
    }
  }
  launch(step, timer);
  if (device_.is_host()) {
    outputs_ = {step.outputs.logits, step.outputs.hidden, nullptr};
    return;
  }
  fetch(step.outputs);
  if (ahead_) ahead_->begin(step.tokens, timer == nullptr && step.graph != nullptr);
  begun_ = &step;
  if (timer == nullptr) return;
  device_.synchronize();
  timer->lap("copy.outputs");
}

int64_t GraphReplay::next_due() {
  if (!ahead_ || !replay_) return 0;
  if (is_started()) return ahead_->due();
  return find().graph != nullptr ? ahead_->due_after_begin() : 0;
}

void GraphReplay::start_next() {
  launch(*begun_, nullptr);
  ahead_->add(begun_->tokens);
}

void GraphReplay::wait() {
  if (ahead_) return ahead_->wait();
  device_.synchronize();
}

GraphReplay::Outputs GraphReplay::finish() {
  if (ahead_) {
    outputs_.tokens = ahead_->finish();
  } else {
    device_.synchronize();
  }
  return outputs_;
}

void GraphReplay::launch(const Captured& step, OpTimer* timer) {
  if (timer != nullptr) {
    step.ops->run(device_.context(), *timer);
  } else if (step.graph) {
    step.graph->launch();
  } else {
    step.ops->run(device_.context());
  }
}

// The rows that this step has, and no more; logits of none where the device chooses for all.
void GraphReplay::fetch(const FusedModel::Outputs& outputs) {
  auto* place = static_cast<float*>(fetched_.data());
  const auto bring = [&](const float* from, int64_t values) {
    float* to = place;
    device_.copy(to, from, values * static_cast<int64_t>(sizeof(float)));
    place += values;
    return to;
  };
  if (outputs.logits != nullptr && !step_.chooses_all()) {
    outputs_.logits = bring(outputs.logits, step_.logit_row_count() * model_.output_width());
  }
  if (outputs.hidden != nullptr) {
    outputs_.hidden = bring(outputs.hidden, step_.hidden_row_count() * model_.hidden_width());
  }
}

}  // namespace graft
