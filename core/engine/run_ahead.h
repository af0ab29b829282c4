// How far a device may run ahead of the host.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace graft {

/// A host that hears of every token spends as much time on hearing as on all else; one that hears of many at once gives
/// them out late, and lets a new request wait for what the device was given. So the device gets as many steps after the
/// one it is at as it has done in `time` lately. One thread.
class RunAhead {
 public:
  using Time = std::chrono::nanoseconds;
  static constexpr int64_t most_steps = 32;
  /// Of any duration: one is computed while the host is busy with the one before it.
  static constexpr int64_t least_steps = 2;

  explicit RunAhead(Time time) : time_(time) {}

  /// The last `steps` took `time` in all, from the end of what was before them.
  void took(int64_t steps, Time time) { step_time_ = std::max(Time{1}, time / std::max<int64_t>(1, steps)); }

  /// Steps that may be on their way at once. The host hears of half of them when those are done.
  int64_t steps() const {
    if (step_time_ == Time{0}) return least_steps;
    return std::clamp<int64_t>(1 + time_ / step_time_, least_steps, most_steps);
  }

 private:
  Time time_;
  Time step_time_{0};  ///< 0: none was seen
};

}  // namespace graft
