// Where the time of an engine's forward passes goes.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/op_timer.h"

namespace graft {

/// What was measured between two takes.
struct Profile {
  std::vector<int64_t> forwards;    ///< nanoseconds of the newest forward passes, oldest first
  int64_t dropped = 0;              ///< older passes, whose own times were not kept
  int64_t forward_nanoseconds = 0;  ///< of all passes, dropped ones too
  std::vector<OpTime> ops;          ///< of all passes, the longest first

  /// The table of graft/profile.h.
  std::string table_json() const;
};

/// Collects what one thread measures for any thread to take. Memory is bounded: the times of the newest `most_forwards`
/// passes, and one row per name. Off at first.
class Profiler {
 public:
  static constexpr size_t most_forwards = 65536;

  /// Begins or ends measuring with the next pass. What was measured stays. Throws std::bad_alloc when beginning.
  void enable(bool on);
  bool enabled() const noexcept { return enabled_.load(std::memory_order_relaxed); }

  /// The measuring thread's: a pass that ended. Does not allocate.
  void add(int64_t nanoseconds, const OpTimes& ops) noexcept;

  /// Hands over what was measured and starts anew. Throws INVALID_STATE when nothing was measured and it is off.
  Profile take();

 private:
  std::atomic<bool> enabled_{false};
  std::mutex mutex_;
  std::vector<int64_t> ring_;  ///< pass i at i modulo its size
  int64_t count_ = 0;
  int64_t forward_nanoseconds_ = 0;
  OpTimes ops_;
};

}  // namespace graft
