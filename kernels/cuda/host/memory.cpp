#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"

namespace graft::kernels::cuda {

int32_t allocate(int32_t device, int64_t bytes, void** out_memory, PluginError* error) {
  *out_memory = nullptr;
  if (bytes == 0) return plugin_ok;
  if (bytes < 0) {
    write_error(error, "%lld bytes of device memory asked for", static_cast<long long>(bytes));
    return plugin_failed;
  }
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  return result_of(cudaMalloc(out_memory, static_cast<size_t>(bytes)), "cudaMalloc", error);
}

void release(int32_t device, void* memory) {
  if (memory == nullptr) return;
  const OnDevice on(device);
  if (cudaFree(memory) != cudaSuccess) cudaGetLastError();
}

int32_t host_allocate(int64_t bytes, void** out_memory, PluginError* error) {
  *out_memory = nullptr;
  if (bytes == 0) return plugin_ok;
  if (bytes < 0) {
    write_error(error, "%lld bytes of pinned memory asked for", static_cast<long long>(bytes));
    return plugin_failed;
  }
  const RelaxedCapture relaxed;
  const cudaError_t result =
      cudaHostAlloc(out_memory, static_cast<size_t>(bytes), cudaHostAllocPortable | cudaHostAllocMapped);
  const int32_t status = result_of(result, "cudaHostAlloc", error);
  // What the system does not pin comes under several names; the caller can do with less, or without.
  const bool refused = result == cudaErrorOperatingSystem || result == cudaErrorNotSupported;
  return refused ? static_cast<int32_t>(plugin_out_of_memory) : status;
}

void host_release(void* memory) {
  const RelaxedCapture relaxed;
  if (memory != nullptr && cudaFreeHost(memory) != cudaSuccess) cudaGetLastError();
}

}  // namespace graft::kernels::cuda
