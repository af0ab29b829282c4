#include "core/generation/scheduler.h"

#include <algorithm>
#include <new>

namespace graft {

Scheduler::Scheduler(ModelRunner& runner, std::shared_ptr<const Tokenizer> tokenizer)
    : runner_(runner),
      context_{runner.cache(), runner.plan().config(), runner.plan().limits, std::move(tokenizer)},
      reserved_(static_cast<size_t>(runner.cache().kind_count()), 0) {}

void Scheduler::add(std::shared_ptr<RequestState> request) {
  const int64_t priority = request->spec().priority;
  const auto place =
      std::ranges::find_if(waiting_, [&](const auto& other) { return other->spec().priority < priority; });
  waiting_.insert(place, std::move(request));
}

bool Scheduler::end_if_over(RequestState& request, Work* work) {
  if (request.cancelled()) {
    if (work != nullptr) {
      work->cancel();
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
    Work& work = *running_[i - 1].work;
    if (end_if_over(work.request(), &work)) release(i - 1);
  }
}

void Scheduler::release(size_t index) {
  const Running& running = running_[index];
  sequences_ -= running.sequences;
  for (size_t k = 0; k < reserved_.size(); ++k) reserved_[k] -= running.reserved[k];
  running_.erase(running_.begin() + static_cast<int64_t>(index));
}

// A request is admitted when the cache can hold all it may ever need, so that no running request can starve.
void Scheduler::admit() {
  const ModelPlan& plan = runner_.plan();
  while (!waiting_.empty()) {
    const RequestSpec& spec = waiting_.front()->spec();
    if (sequences_ + width(spec) > plan.limits.sequences) return;
    std::vector<int64_t> needed = needed_cache_blocks(spec, plan.cache.kinds, plan.limits);
    for (size_t k = 0; k < needed.size(); ++k) {
      if (reserved_[k] + needed[k] > runner_.cache().blocks(static_cast<int64_t>(k))) return;
    }
    std::shared_ptr<RequestState> request = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(request), std::move(needed));
  }
}

void Scheduler::start(std::shared_ptr<RequestState> request, std::vector<int64_t> needed) {
  const RequestSpec& spec = request->spec();
  if (spec.kind == RequestKind::generate && spec.max_tokens == 0) {
    for (int64_t i = 0; i + 1 < spec.sequences; ++i) request->finish_sequence(i, FinishReason::length, 0);
    request->finish(FinishReason::length, 0, spec.sequences - 1);
    return;
  }
  try {
    running_.push_back({make_work(request, context_), width(spec), std::move(needed)});
  } catch (const std::bad_alloc&) {  // the rows of a long logits request, perhaps; the others go on
    request->fail(StatusCode::out_of_memory, "the request's results do not fit in memory");
    return;
  }
  sequences_ += width(spec);
  for (size_t k = 0; k < reserved_.size(); ++k) reserved_[k] += running_.back().reserved[k];
}

void Scheduler::fill_step() {
  StepBuffer& step = runner_.step();
  step.clear();
  in_step_.clear();
  for (const Running& running : running_) {
    if (running.work->decoding() && running.work->add_to(step)) in_step_.push_back(running.work.get());
  }
  // What the device has gone on with is not thrown away; prompts come after it.
  prompts_wait_ = std::ranges::any_of(running_, [](const Running& running) { return !running.work->decoding(); });
  if (prompts_wait_ && !in_step_.empty() && runner_.is_started()) return;
  prompts_wait_ = false;
  add_prompts(step);
}

// In turn, so that a long one does not keep the others waiting for ever.
void Scheduler::add_prompts(StepBuffer& step) {
  for (size_t i = 0; i < running_.size(); ++i) {
    Work& work = *running_[(next_prompt_ + i) % running_.size()].work;
    if (work.decoding()) continue;
    if (!work.add_to(step)) break;
    in_step_.push_back(&work);
  }
  if (!running_.empty()) next_prompt_ = (next_prompt_ + 1) % running_.size();
}

// What goes wrong with one request's own rules ends that request alone.
bool Scheduler::take(Work& work, const StepOutput& output) {
  try {
    return work.take(output);
  } catch (const Error& error) {
    work.request().fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    work.request().fail(StatusCode::out_of_memory, "the request's results do not fit in memory");
  }
  return true;
}

bool Scheduler::step() {
  end_overdue();
  admit();
  fill_step();
  if (in_step_.empty()) return !waiting_.empty() || !running_.empty();
  const StepOutput output = runner_.run(/*ahead=*/!prompts_wait_);
  for (Work* work : in_step_) {
    if (!take(*work, output)) continue;
    const auto found = std::ranges::find_if(running_, [&](const Running& r) { return r.work.get() == work; });
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
      running.work->cancel();
    } else {
      running.work->request().fail(code, message);
    }
  }
  waiting_.clear();
  running_.clear();
  sequences_ = 0;
  std::ranges::fill(reserved_, 0);
}

}  // namespace graft
