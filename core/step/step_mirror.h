// The arrays of a StepBuffer in the memory of a device, for captured steps of one capacity.
#pragma once

#include <vector>

#include "core/base/memory_space.h"
#include "core/step/step_buffer.h"

namespace graft {

/// Addresses never change, so that captured steps may keep them. One copy brings a whole step over: the arrays lie one
/// after another with room for the capacity and no more, block tables last. Used by the engine's thread.
class StepMirror {
 public:
  struct Capacity {
    int64_t tokens = 0;
    int64_t logit_rows = 0;
    int64_t hidden_rows = 0;
  };

  /// Buffer and space outlive it. Throws OUT_OF_MEMORY.
  StepMirror(const StepBuffer& step, const Capacity& capacity, MemorySpace& space);

  /// The step with addresses in the space.
  const StepView& view() const { return view_; }

  /// Brings over what the buffer holds, which must fit the capacity, in the order of the device's work. Not again
  /// before the device has passed that. Throws DEVICE_ERROR.
  void update();

 private:
  struct Array {
    const std::byte* source;
    int64_t offset;
    int64_t bytes;
  };
  void plan(const Capacity& capacity);
  template <class T>
  void plan_array(const T*& array, int64_t elements);

  const StepBuffer& step_;
  MemorySpace& space_;
  StepView view_;
  std::vector<Array> arrays_;  ///< in the order of their offsets
  int64_t bytes_ = 0;
  SpaceMemory staging_;
  SpaceMemory memory_;
};

}  // namespace graft
