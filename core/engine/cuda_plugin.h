// Finding libgraft_cuda.so. It is looked for beside libgraft_core.so, then on the loader's path; once in, it stays.
#pragma once

#include <string>
#include <vector>

#include "core/base/status.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

/// A usable plug-in, or why there is none.
struct CudaPlugin {
  const kernels::DevicePlugin* plugin = nullptr;
  int32_t devices = 0;
  std::vector<int32_t> usable;       ///< of these, ascending; not empty
  StatusCode code = StatusCode::ok;  ///< NOT_FOUND, VERSION_MISMATCH or DEVICE_ERROR where plugin is null
  std::string reason;                ///< one line; empty where plugin is not null
  /// Also where no device is usable: what the library says without one.
  const kernels::DevicePlugin* loaded = nullptr;
};

/// Never throws for a plug-in that cannot be used. Looks again at every call, so that a changed machine can succeed;
/// where there is a driver the first call wakes it, which takes some 100 ms. Any thread.
CudaPlugin find_cuda_plugin();

/// Why a device below `devices` of a usable plug-in is not among the usable ones, in one line; empty where it is.
std::string why_unusable(const CudaPlugin& cuda, int32_t device);

}  // namespace graft
