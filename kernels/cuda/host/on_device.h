#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/host/relaxed_capture.h"

namespace graft::kernels::cuda {

/// Whether this process uses the device already. A thread that has chosen none has number 0, which may be in use by
/// nobody: choosing it would prepare it, at some 100 MB.
inline bool is_in_use(int32_t device) {
  using State = int (*)(int device, unsigned* flags, int* active);  // cuDevicePrimaryCtxGetState
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  constexpr unsigned since = 7000;
  const cudaError_t asked =
      cudaGetDriverEntryPointByVersion("cuDevicePrimaryCtxGetState", &found, since, cudaEnableDefault, &result);
  if (asked != cudaSuccess || found == nullptr) {
    cudaGetLastError();
    return false;
  }
  unsigned flags = 0;
  int active = 0;
  return reinterpret_cast<State>(found)(device, &flags, &active) == 0 && active != 0;
}

/// Makes a device current for a scope and puts back what was, where that was in use: a thread of the host keeps its own
/// choice. Leaves no error behind on it, and disturbs no capture of the host.
class OnDevice {
 public:
  explicit OnDevice(int32_t device) {
    result_ = cudaGetDevice(&before_);
    if (result_ == cudaSuccess && before_ != device) {
      result_ = cudaSetDevice(device);
      changed_ = result_ == cudaSuccess;
    }
    if (result_ != cudaSuccess) cudaGetLastError();
  }
  ~OnDevice() {
    if (changed_ && is_in_use(before_) && cudaSetDevice(before_) != cudaSuccess) cudaGetLastError();
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  cudaError_t result() const { return result_; }

 private:
  RelaxedCapture relaxed_;
  int before_ = 0;
  bool changed_ = false;
  cudaError_t result_ = cudaSuccess;
};

}  // namespace graft::kernels::cuda
