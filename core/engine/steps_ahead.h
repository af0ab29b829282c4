// The steps that a device was given and the host has not taken yet, where the device chooses tokens.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/device.h"
#include "core/engine/expected_step.h"
#include "core/engine/run_ahead.h"
#include "core/step/step_buffer.h"

namespace graft {

/// A step leaves its arrays on the device as those of the step after it, so several can be started at once: the host is
/// no part of the way from token to token. It waits for half of them and takes those one by one; while it is busy with
/// them the other half is computed, and before it waits again as many are started as it has taken.
///
/// A step in the buffer counts as started where it is the one that the device went on with, or has some of its
/// sequences since others have ended: then nothing more is started until all that was is taken. Anything else (a
/// request came) is begun after all that were started in vain; what those wrote to the cache lies beyond the length of
/// every sequence. Steps are numbered as they are started. One thread, the engine's.
class StepsAhead {
 public:
  /// All outlive it. Throws OUT_OF_MEMORY, DEVICE_ERROR.
  StepsAhead(const StepBuffer& step, const CachePool& pool, Device& device, RunAhead pace);

  /// Whether the buffer holds the step after the one taken last, which was started, and whether that is also done.
  bool is_started() { return current_ < newest_ && expected_.has(step_); }
  bool is_done() { return current_ < done_ && is_started(); }
  /// How many steps are to be started after the one in the buffer, where that is started already; and where it is yet
  /// to be begun, and others may follow.
  int64_t due();
  int64_t due_after_begin() { return std::min(pace_.steps() - 1, step_.steps_to_go()); }

  /// The device was given the step in the buffer, and leaves what it chooses in `tokens`, in its own memory. `replays`:
  /// others may follow.
  void begin(const int32_t* tokens, bool replays);
  /// The device was given the step after the newest.
  void add(const int32_t* tokens);
  /// Takes the step in the buffer, which is started.
  void take();
  /// For those who are told what to do and need no tokens: takes the first step that is not done.
  void take_first() { current_ = done_ + 1; }
  /// Waits for the step that was begun or taken and for all that are waited for with it. Throws as DeviceMark::wait.
  void wait();
  /// The same, where it is not done. What was chosen for each row of the buffer's step, valid until the next is begun
  /// or taken.
  const int32_t* finish();
  /// No step in the buffer is one that was started.
  void forget() { expected_.forget(); }

 private:
  using Clock = std::chrono::steady_clock;
  /// Where a step leaves its tokens, and its end.
  struct Place {
    int32_t* tokens;
    std::unique_ptr<DeviceMark> end;
  };
  Place& place(int64_t number) { return places_[static_cast<size_t>(number) % places_.size()]; }
  bool has_every_row() const { return std::ssize(expected_.rows()) == expected_.row_count(); }

  const StepBuffer& step_;
  Device& device_;
  ExpectedStep expected_;
  RunAhead pace_;
  SpaceMemory tokens_;
  std::vector<Place> places_;               ///< of step n: n modulo their count
  int64_t newest_ = 0;                      ///< the step started last
  int64_t current_ = 0;                     ///< the one begun or taken last
  int64_t done_ = 0;                        ///< up to here all are
  int64_t to_go_ = 0;                       ///< that can follow the newest without the host
  bool replays_ = false;                    ///< the one begun last
  std::optional<Clock::time_point> since_;  ///< when the device began the step after done_, where that is known
  bool taken_ = false;                      ///< the current step, which may have other rows than the device
  std::vector<int32_t> own_tokens_;         ///< of its rows then
};

}  // namespace graft
