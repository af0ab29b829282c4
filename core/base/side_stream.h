// Work on a device beside the space's own order: how weights are copied while others are read.
#pragma once

#include <cstdint>

#include "kernels/spec/variant.h"

namespace graft {

/// Work is done in the order in which it was given, while other streams and the host go on. For the space's thread.
class SideStream {
 public:
  /// Waits for what it was given.
  virtual ~SideStream() = default;

  /// Between the space and staging memory, whose bytes stay until a mark set later was waited for. From other host
  /// memory it may wait for the copy. Throws DEVICE_ERROR.
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;
  /// Runs the kernel for an op. Throws UNSUPPORTED where there is none.
  virtual void run(kernels::Op op, const void* args) = 0;

  /// Sets mark `index` (0, 1, ... few) behind all work given so far. Throws DEVICE_ERROR.
  virtual void mark(int64_t index) = 0;
  /// Waits until the last place of a mark that was set is reached. Throws DEVICE_ERROR.
  virtual void wait(int64_t index) = 0;
  /// Waits for all work. Throws DEVICE_ERROR for what failed on the way.
  virtual void synchronize() = 0;
  /// The same whatever failed: what was worked on may be given back then.
  virtual void drain() noexcept = 0;
};

}  // namespace graft
