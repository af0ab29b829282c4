// A request as the engine and its holder share it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/generation/event_stream.h"
#include "core/generation/sampling.h"

namespace graft {

enum class RequestKind : int32_t { generate = 0, logits = 1 };

/// Checked by the engine before it is queued.
struct RequestSpec {
  RequestKind kind = RequestKind::generate;
  std::vector<int64_t> prompt;
  int64_t max_tokens = -1;  ///< -1: as many as the context holds
  SamplingOptions sampling;
  bool ignore_eos = false;
  std::vector<int64_t> stop_tokens;
  int64_t priority = 0;
  int64_t deadline_ms = 0;  ///< 0: none
  int64_t tag = 0;
};

/// float32 rows, immutable once published.
struct ResultTensor {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;
};

/// Shared by the holder (any thread) and the engine's thread. Does not keep the engine alive.
class RequestState {
 public:
  RequestState(RequestSpec spec, std::shared_ptr<EventStream> events, bool own_stream);

  const RequestSpec& spec() const { return spec_; }
  EventStream& events() { return *events_; }
  bool has_own_stream() const { return own_stream_; }

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  bool past_deadline() const;

  // The engine's side.
  void push(EventRecord& event);
  void set_result(std::shared_ptr<const ResultTensor> result);
  /// Pushes the last event and marks the end. Later calls do nothing.
  void finish(FinishReason reason, int64_t completion_tokens);
  void fail(StatusCode code, const std::string& message);

  // The holder's side.
  bool ended() const;
  /// OK or the failure once ended; TIMEOUT before.
  StatusCode wait(int64_t timeout_ms);
  std::shared_ptr<const ResultTensor> result() const;
  /// Empty unless failed. The reference stays valid as long as this object.
  const std::string& error_message() const;

 private:
  void end(EventRecord& event, StatusCode status);

  const RequestSpec spec_;
  const std::shared_ptr<EventStream> events_;
  const bool own_stream_;
  const std::chrono::steady_clock::time_point submitted_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  StatusCode status_ = StatusCode::ok;
  std::string message_;
  std::shared_ptr<const ResultTensor> result_;
};

}  // namespace graft
