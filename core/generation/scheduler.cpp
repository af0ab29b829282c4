#include "core/generation/scheduler.h"

#include <algorithm>
#include <new>

namespace graft {
namespace {

int64_t planned_length(const RequestSpec& spec, const StepLimits& limits) {
  const auto prompt = static_cast<int64_t>(spec.prompt.size());
  if (spec.kind != RequestKind::generate) return prompt;
  return spec.max_tokens < 0 ? limits.context : prompt + spec.max_tokens;
}

}  // namespace

Scheduler::Scheduler(ModelRunner& runner, std::shared_ptr<const Tokenizer> tokenizer)
    : runner_(runner),
      tokenizer_(std::move(tokenizer)),
      reserved_(static_cast<size_t>(runner.cache().kind_count()), 0) {}

void Scheduler::add(std::shared_ptr<RequestState> request) {
  const int64_t priority = request->spec().priority;
  const auto place =
      std::ranges::find_if(waiting_, [&](const auto& other) { return other->spec().priority < priority; });
  waiting_.insert(place, std::move(request));
}

bool Scheduler::end_if_over(RequestState& request, Sequence* sequence) {
  if (request.cancelled()) {
    if (sequence != nullptr) {
      sequence->finish(FinishReason::cancelled);
    } else {
      request.finish(FinishReason::cancelled, 0);
    }
    return true;
  }
  if (request.past_deadline()) {
    request.fail(StatusCode::deadline_exceeded,
                 fmt::format("the request's deadline of {} ms has passed", request.spec().deadline_ms));
    return true;
  }
  return false;
}

void Scheduler::end_overdue() {
  std::erase_if(waiting_, [](const auto& request) { return end_if_over(*request, nullptr); });
  for (size_t i = running_.size(); i > 0; --i) {
    Sequence& sequence = *running_[i - 1].sequence;
    if (end_if_over(sequence.request(), &sequence)) release(i - 1);
  }
}

void Scheduler::release(size_t index) {
  for (size_t k = 0; k < reserved_.size(); ++k) reserved_[k] -= running_[index].reserved[k];
  running_.erase(running_.begin() + static_cast<int64_t>(index));
}

// A request is admitted when the cache can hold all it may ever need, so that no running request can starve.
void Scheduler::admit() {
  const ModelPlan& plan = runner_.plan();
  while (!waiting_.empty() && static_cast<int64_t>(running_.size()) < plan.limits.sequences) {
    const RequestSpec& spec = waiting_.front()->spec();
    const int64_t length = planned_length(spec, plan.limits);
    std::vector<int64_t> needed = needed_cache_blocks(plan.cache.kinds, length, plan.limits.tokens);
    for (size_t k = 0; k < needed.size(); ++k) {
      if (reserved_[k] + needed[k] > runner_.cache().blocks(static_cast<int64_t>(k))) return;
    }
    for (size_t k = 0; k < needed.size(); ++k) reserved_[k] += needed[k];
    std::shared_ptr<RequestState> request = std::move(waiting_.front());
    waiting_.pop_front();
    if (spec.kind == RequestKind::generate && spec.max_tokens == 0) {
      request->finish(FinishReason::length, 0);
      for (size_t k = 0; k < needed.size(); ++k) reserved_[k] -= needed[k];
      continue;
    }
    try {
      running_.push_back(
          {std::make_unique<Sequence>(request, runner_.cache(), length, plan.config().vocabulary, tokenizer_), needed});
    } catch (const std::bad_alloc&) {  // the rows of a long logits request, perhaps; the others go on
      request->fail(StatusCode::out_of_memory, "the request's results do not fit in memory");
      for (size_t k = 0; k < needed.size(); ++k) reserved_[k] -= needed[k];
    }
  }
}

void Scheduler::fill_step() {
  StepBuffer& step = runner_.step();
  const StepLimits& limits = step.limits();
  step.clear();
  in_step_.clear();
  for (Running& running : running_) {
    Sequence& sequence = *running.sequence;
    if (sequence.decoding() && step.fits(1, 1) && sequence.add_to(step, 1)) in_step_.push_back(&sequence);
  }
  // Prompts in turn, so that a long one does not keep the others waiting for ever.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[(next_prompt_ + i) % running_.size()].sequence;
    if (sequence.decoding()) continue;
    const bool all_rows = sequence.request().spec().kind == RequestKind::logits;
    int64_t room = limits.tokens - step.token_count();
    const int64_t rows = limits.logit_rows - step.logit_row_count();
    if (all_rows) room = std::min(room, rows);
    if (room < 1 || rows < 1) break;
    if (sequence.add_to(step, room)) in_step_.push_back(&sequence);
  }
  if (!running_.empty()) next_prompt_ = (next_prompt_ + 1) % running_.size();
}

bool Scheduler::step() {
  end_overdue();
  admit();
  fill_step();
  if (in_step_.empty()) return !waiting_.empty() || !running_.empty();
  const float* logits = runner_.run().logits;
  const std::vector<int64_t>& end_tokens = runner_.plan().config().generation.eos_tokens;
  for (Sequence* sequence : in_step_) {
    const FinishReason reason = sequence->take(logits, end_tokens);
    if (reason == FinishReason::none) continue;
    sequence->finish(reason);
    const auto found = std::ranges::find_if(running_, [&](const Running& r) { return r.sequence.get() == sequence; });
    release(static_cast<size_t>(found - running_.begin()));
  }
  return !waiting_.empty() || !running_.empty();
}

void Scheduler::end_all(StatusCode code, const std::string& message) {
  for (const auto& request : waiting_) {
    if (code == StatusCode::ok) {
      request->finish(FinishReason::cancelled, 0);
    } else {
      request->fail(code, message);
    }
  }
  for (const Running& running : running_) {
    if (code == StatusCode::ok) {
      running.sequence->finish(FinishReason::cancelled);
    } else {
      running.sequence->request().fail(code, message);
    }
  }
  waiting_.clear();
  running_.clear();
  std::ranges::fill(reserved_, 0);
}

}  // namespace graft
