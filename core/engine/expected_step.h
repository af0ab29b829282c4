// The step that a device went on to by itself: what a step will have to be for its results to count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/step/step_buffer.h"

namespace graft {

/// Follows the arrays on the device, one step at a time. Used by the engine's thread. Allocates when it is made, not
/// later.
class ExpectedStep {
 public:
  /// For steps like `step`. The pool outlives it.
  ExpectedStep(const StepBuffer& step, const CachePool& pool);

  /// The device has been given `step`, and goes on from it (StepBuffer::steps_to_go). Nothing is expected before
  /// go_on().
  void follow(const StepBuffer& step);
  /// It chose `tokens`, one for each row of the step that is followed: from now on the step after that is expected.
  void go_on(const int32_t* tokens);
  void forget() {
    expected_ = false;
    asked_ = -1;
  }

  /// Whether `step` is the one expected, its sequences in any order, or some of them: others may have ended meanwhile.
  /// What the device computes for a sequence depends on no other. Asked again of what has not changed it costs nothing.
  bool has(const StepBuffer& step);

  /// After has() said so: the row on the device of each row of the step.
  const std::vector<int32_t>& rows() const { return rows_; }
  /// Rows on the device.
  int64_t row_count() const { return step_.sequence_count(); }

 private:
  bool is_same(const StepView& wanted, int64_t row, int64_t device_row) const;
  bool look_for(const StepBuffer& step);

  const CachePool& pool_;
  StepBuffer step_;  ///< as on the device
  std::vector<std::byte> packed_;
  std::vector<int32_t> rows_;
  std::vector<char> taken_;  ///< of each row on the device: whether it is one of rows_
  bool expected_ = false;
  /// StepBuffer::changes() of the step that has() was asked of last; -1: of none since something else is expected.
  int64_t asked_ = -1;
  bool answer_ = false;
};

}  // namespace graft
