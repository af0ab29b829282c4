#include "core/generation/event_stream.h"

#include <utility>

namespace graft {
namespace {

// Longer waits than this are for ever; it keeps the clock's arithmetic from overflowing.
constexpr int64_t longest_wait_ms = int64_t{1} << 40;

}  // namespace

WaitLimit::WaitLimit(int64_t timeout_ms) : forever_(timeout_ms < 0 || timeout_ms > longest_wait_ms) {
  if (!forever_) until_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
}

void EventStream::push(const EventRecord& event) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (count_ == ring_.size()) {
      std::vector<EventRecord> larger(ring_.empty() ? 16 : ring_.size() * 2);
      for (size_t i = 0; i < count_; ++i) larger[i] = std::move(ring_[(head_ + i) % ring_.size()]);
      ring_ = std::move(larger);
      head_ = 0;
    }
    ring_[(head_ + count_) % ring_.size()] = event;
    ++count_;
  }
  ready_.notify_one();
}

EventStream::Next EventStream::next(int64_t timeout_ms, EventRecord& out) {
  const WaitLimit limit(timeout_ms);
  std::unique_lock lock(mutex_);
  const bool ready = limit.wait(ready_, lock, [&] { return count_ > 0 || wakes_ > 0 || finished_ || closed_; });
  if (closed_) return Next::closed;
  if (!ready) return Next::timeout;
  if (wakes_ > 0) {
    --wakes_;
    return Next::timeout;
  }
  if (count_ == 0) return Next::end;
  std::swap(out, ring_[head_]);
  head_ = (head_ + 1) % ring_.size();
  --count_;
  return Next::event;
}

void EventStream::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  ready_.notify_all();
}

void EventStream::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ring_.clear();
    count_ = 0;
  }
  ready_.notify_all();
}

void EventStream::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  ready_.notify_one();
}

}  // namespace graft
