#include <cstring>

#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"

namespace graft::kernels::cuda {

int32_t reach(int32_t device, int32_t peer, bool* out_reached, PluginError* error) {
  *out_reached = device == peer;
  if (device == peer) return plugin_ok;
  int can = 0;
  const int32_t asked = result_of(cudaDeviceCanAccessPeer(&can, device, peer), "cudaDeviceCanAccessPeer", error);
  if (asked != plugin_ok || can == 0) return asked;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  const cudaError_t result = cudaDeviceEnablePeerAccess(peer, 0);
  switch (result) {
    case cudaErrorPeerAccessAlreadyEnabled:
      cudaGetLastError();  // the runtime keeps it as if it were a failure
      *out_reached = true;
      return plugin_ok;
    case cudaErrorPeerAccessUnsupported:
    case cudaErrorTooManyPeers:
      cudaGetLastError();
      return plugin_ok;
    default:
      *out_reached = result == cudaSuccess;
      return result_of(result, "cudaDeviceEnablePeerAccess", error);
  }
}

static_assert(sizeof(SharedMemory) == sizeof(cudaIpcMemHandle_t));

int32_t share(int32_t device, void* memory, SharedMemory* out_shared, PluginError* error) {
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  cudaIpcMemHandle_t handle;
  const int32_t status = result_of(cudaIpcGetMemHandle(&handle, memory), "cudaIpcGetMemHandle", error);
  if (status == plugin_ok) std::memcpy(out_shared->bytes, &handle, sizeof handle);
  return status;
}

// Peer access comes with it, and the other device need not be one that this process sees.
int32_t open_shared(int32_t device, const SharedMemory* shared, void** out_memory, PluginError* error) {
  *out_memory = nullptr;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  cudaIpcMemHandle_t handle;
  std::memcpy(&handle, shared->bytes, sizeof handle);
  return result_of(cudaIpcOpenMemHandle(out_memory, handle, cudaIpcMemLazyEnablePeerAccess), "cudaIpcOpenMemHandle",
                   error);
}

void close_shared(int32_t device, void* memory) {
  if (memory == nullptr) return;
  const OnDevice on(device);
  if (cudaIpcCloseMemHandle(memory) != cudaSuccess) cudaGetLastError();
}

}  // namespace graft::kernels::cuda
