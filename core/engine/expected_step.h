// The step that a device was given ahead of its contents: what they will have to be for its results to count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/step/step_buffer.h"

namespace graft {

/// Used by the engine's thread. Allocates when it is made, not later.
class ExpectedStep {
 public:
  /// For steps like `step`. The pool outlives it.
  ExpectedStep(const StepBuffer& step, const CachePool& pool);

  /// Expects the step after `step`, which can go on with `tokens`, one for each of its rows.
  void expect_after(const StepBuffer& step, const int32_t* tokens);
  /// Whether a step is expected, and this is the one.
  bool is(const StepBuffer& step);
  void forget() { bytes_ = 0; }

 private:
  const CachePool& pool_;
  StepBuffer step_;
  std::vector<std::byte> expected_, other_;
  int64_t bytes_ = 0;  ///< used of `expected_`; 0: no step is expected
};

}  // namespace graft
