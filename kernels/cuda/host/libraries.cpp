#include <cstdio>

#include "kernels/cuda/host/cublas_lt.h"
#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"
#include "kernels/cuda/matmul.h"

namespace graft::kernels::cuda {

int32_t library_info(LibraryInfo* out_info, PluginError* error) {
  *out_info = {};
  if (cublas_lt() == nullptr) {
    write_error(error, "%s", cublas_lt_problem());
    return plugin_failed;
  }
  snprintf(out_info->version, sizeof out_info->version, "%s", cublas_lt_version());
  return plugin_ok;
}

int32_t library_handle_new(int32_t device, void** out_handle, PluginError* error) {
  *out_handle = nullptr;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  int32_t answer = lt_success;
  *out_handle = matmul_handle_new(&answer);
  if (*out_handle != nullptr) return plugin_ok;
  if (cublas_lt() == nullptr) {
    write_error(error, "%s", cublas_lt_problem());
  } else if (answer != lt_success) {
    write_error(error, "cublasLtCreate: cublasStatus_t %d", answer);
  } else {
    write_error(error, "no memory for what is kept of cuBLASLt");
  }
  return plugin_ok;
}

void library_handle_free(int32_t device, void* handle) {
  if (handle == nullptr) return;
  const OnDevice on(device);
  matmul_handle_free(handle);
}

}  // namespace graft::kernels::cuda
