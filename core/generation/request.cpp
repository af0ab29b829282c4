#include "core/generation/request.h"

namespace graft {

RequestState::RequestState(RequestSpec spec, std::shared_ptr<EventStream> events, bool own_stream)
    : spec_(std::move(spec)),
      events_(std::move(events)),
      own_stream_(own_stream),
      submitted_(std::chrono::steady_clock::now()) {}

bool RequestState::past_deadline() const {
  return spec_.deadline_ms > 0 &&
         std::chrono::steady_clock::now() - submitted_ > std::chrono::milliseconds(spec_.deadline_ms);
}

void RequestState::push(EventRecord& event) {
  event.tag = spec_.tag;
  event.prompt_tokens = static_cast<int64_t>(spec_.prompt.size());
  events_->push(event);
}

void RequestState::add_result(std::shared_ptr<const ResultTensor> result) {
  const std::lock_guard lock(mutex_);
  results_.push_back(std::move(result));
}

void RequestState::finish_sequence(int64_t sequence, FinishReason reason, int64_t completion_tokens) {
  EventRecord event;
  event.kind = EventKind::finished;
  event.sequence = sequence;
  event.finish_reason = reason;
  event.completion_tokens = completion_tokens;
  push(event);
}

void RequestState::finish(FinishReason reason, int64_t completion_tokens, int64_t sequence) {
  EventRecord event;
  event.kind = EventKind::finished;
  event.sequence = sequence;
  event.finish_reason = reason;
  event.completion_tokens = completion_tokens;
  const bool cancelled = reason == FinishReason::cancelled;
  end(event, cancelled ? StatusCode::cancelled : StatusCode::ok);
}

void RequestState::fail(StatusCode code, const std::string& message) {
  EventRecord event;
  event.kind = EventKind::error;
  event.finish_reason = code == StatusCode::deadline_exceeded ? FinishReason::deadline : FinishReason::error;
  event.status = code;
  event.message = message;
  end(event, code);
}

// The state is final before the event that tells of it can be seen.
void RequestState::end(EventRecord& event, StatusCode status) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    status_ = status;
    message_ = event.message;
  }
  event.last = true;
  push(event);
  if (own_stream_) events_->finish();
  ended_changed_.notify_all();
}

bool RequestState::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

StatusCode RequestState::wait(int64_t timeout_ms) {
  const WaitLimit limit(timeout_ms);
  std::unique_lock lock(mutex_);
  return limit.wait(ended_changed_, lock, [&] { return ended_; }) ? status_ : StatusCode::timeout;
}

std::shared_ptr<const ResultTensor> RequestState::result(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& result : results_) {
    if (result->name == name) return result;
  }
  return nullptr;
}

const std::string& RequestState::error_message() const {
  static const std::string none;
  const std::lock_guard lock(mutex_);
  return ended_ ? message_ : none;  // written once, before ended_
}

}  // namespace graft
