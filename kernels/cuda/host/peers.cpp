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

}  // namespace graft::kernels::cuda
