// Which device an engine runs on, decided before a weight is loaded.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "core/engine/device.h"
#include "core/engine/options.h"
#include "core/engine/rank_place.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

/// What there is for an engine: half of the machine's memory, or what is free on the device now.
struct FreeMemory {
  int64_t bytes = 0;
  /// Left of a device for what no plan knows (modules, graphs, the granularity of allocations): a twentieth, at least
  /// 512 MiB.
  int64_t kept_back = 0;

  int64_t to_plan_with() const { return std::max<int64_t>(0, bytes - kept_back); }
};

struct DeviceChoice {
  std::string name = "cpu";                       ///< or "cuda:N"
  const kernels::DevicePlugin* plugin = nullptr;  ///< of a CUDA device
  int32_t index = 0;                              ///< of a CUDA device
  int64_t ranks_on_it = 1;                        ///< ranks of the group in this process that share it
  std::string reason = {};                        ///< why "auto" came to the CPU, empty where nobody asked

  bool is_cpu() const { return plugin == nullptr; }
  /// Throws OUT_OF_MEMORY where the device has none for this process at all, DEVICE_ERROR.
  FreeMemory memory() const;
};

/// The CPU, where "auto" has come to it for this reason.
DeviceChoice choose_cpu(std::string reason);

/// Takes options.device: "auto" is the first CUDA device where there is one that can run what the other options ask
/// for, else the CPU; a device that is named is never replaced. Throws INVALID_ARGUMENT for a name that is none or a
/// number that is too high, UNSUPPORTED for what no CUDA device can run, and where there is no device at all the reason
/// (NOT_FOUND, VERSION_MISMATCH, DEVICE_ERROR). The ranks of a group take the devices in turn, beginning with the one
/// named; several may share one. Any thread.
DeviceChoice choose_device(const EngineOptions& options, const RankPlace& place = {});

/// On the thread that will use it. Throws what the device's constructor throws.
std::unique_ptr<Device> make_device(const DeviceChoice& choice, int32_t threads);

}  // namespace graft
