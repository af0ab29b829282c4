#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"
#include "kernels/cuda/matmul.h"

namespace graft::kernels::cuda {

int32_t library_handle_new(int32_t device, void** out_handle, PluginError* error) {
  *out_handle = nullptr;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  *out_handle = matmul_handle_new();
  return plugin_ok;
}

void library_handle_free(int32_t device, void* handle) {
  if (handle == nullptr) return;
  const OnDevice on(device);
  matmul_handle_free(handle);
}

}  // namespace graft::kernels::cuda
