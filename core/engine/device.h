// What a fused model runs on: memory, kernels, and work that is captured once and launched as one.
#pragma once

#include <functional>
#include <memory>

#include "core/base/memory_space.h"
#include "core/base/thread_pool.h"
#include "kernels/spec/variant.h"

namespace graft {

/// Captured work. Outlived by its device.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  /// Gives the work to the device once more. Throws DEVICE_ERROR.
  virtual void launch() = 0;
};

/// A place in a device's work. Outlived by its device, and used by the same thread.
class DeviceMark {
 public:
  virtual ~DeviceMark() = default;
  /// Moves it behind all work that was given so far. Throws DEVICE_ERROR.
  virtual void set() = 0;
  /// Waits, as the device's synchronize() does, until the work before it is done. Throws what that throws.
  virtual void wait() = 0;
};

/// Made, used and destroyed by one engine thread; what it allocated is released before.
class Device : public MemorySpace {
 public:
  /// The kernel for an op's arguments; null when there is none.
  virtual const kernels::Variant* select(kernels::Op op, const void* args) const = 0;
  /// What the size of a kernel's scratch depends on.
  virtual int32_t workers() const = 0;
  /// What kernels are given to run.
  virtual const kernels::Context& context() const = 0;
  /// Waits until `done`, or throws where that will never be.
  using Wait = std::function<void(const std::function<bool()>& done)>;
  /// From here on synchronize() and marks wait by this: work that other ranks take part in may never end. Null: by
  /// itself.
  virtual void wait_by(Wait wait) = 0;
  /// Null where work is done when the call that gives it returns. Throws DEVICE_ERROR.
  virtual std::unique_ptr<DeviceMark> make_mark() = 0;
  /// Captures what `give` runs, which is not done by that. Null where work is given call by call. Throws DEVICE_ERROR.
  virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& give) = 0;
};

/// The processor: host memory, a pool of threads of its own.
class CpuDevice : public HostSpace<Device> {
 public:
  /// Throws what ThreadPool's constructor throws.
  explicit CpuDevice(int32_t threads);

  void wait_by(Wait) override {}

  const kernels::Variant* select(kernels::Op op, const void* args) const override;
  int32_t workers() const override { return pool_.workers(); }
  const kernels::Context& context() const override { return context_; }
  std::unique_ptr<DeviceMark> make_mark() override { return nullptr; }
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>&) override { return nullptr; }

 private:
  ThreadPool pool_;
  kernels::Context context_{};
};

}  // namespace graft
