// Where a request's events go: its own stream, or a queue that many requests share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/generation/choice/logprobs.h"

namespace graft {

enum class EventKind : int32_t { token = 0, text = 1, progress = 2, finished = 3, error = 4 };
enum class FinishReason : int32_t { none = 0, stop = 1, length = 2, cancelled = 3, deadline = 4, error = 5 };

/// One event. Slots of a stream are reused, so strings and vectors keep their capacity.
struct EventRecord {
  EventKind kind = EventKind::token;
  int64_t tag = 0;
  int64_t sequence = 0;
  int64_t token = -1;
  std::string text;
  double logprob = 0;
  std::vector<TokenLogprob> top;
  FinishReason finish_reason = FinishReason::none;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;
  double progress = 0;
  StatusCode status = StatusCode::ok;
  std::string message;
  bool last = false;  ///< of its request
};

/// Deadline of a wait: milliseconds from now, none when negative.
class WaitLimit {
 public:
  explicit WaitLimit(int64_t timeout_ms);

  /// Waits on `condition` until `done()` or the limit; returns done().
  template <class Done>
  bool wait(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, Done done) const {
    if (forever_) {
      condition.wait(lock, done);
      return true;
    }
    return condition.wait_until(lock, until_, done);
  }

 private:
  bool forever_;
  std::chrono::steady_clock::time_point until_{};
};

/// A first-in first-out ring of events. Any thread may use any function.
class EventStream {
 public:
  enum class Next { event, timeout, end, closed };

  /// Appends a copy. Once the ring has grown to its use, this allocates nothing. Dropped after close().
  void push(const EventRecord& event);

  /// Moves the oldest event into `out` (whose strings' memory goes back to the ring). `end` when finish() was called
  /// and the ring is empty; `timeout` also once for every wake().
  Next next(int64_t timeout_ms, EventRecord& out);

  /// Nothing more will be pushed.
  void finish();
  /// The consumer is gone: waiting calls return `closed`.
  void close();
  /// Lets one waiting (or the next) call of next() return `timeout`.
  void wake();

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<EventRecord> ring_;  ///< size 0 or a power of two
  size_t head_ = 0;
  size_t count_ = 0;
  int64_t wakes_ = 0;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace graft
