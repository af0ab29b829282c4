#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace graft::kernels::cuda {

/// Makes a device current for a scope and puts back what was: a thread of the host keeps its own choice.
class OnDevice {
 public:
  explicit OnDevice(int32_t device) {
    result_ = cudaGetDevice(&before_);
    if (result_ == cudaSuccess && before_ != device) {
      result_ = cudaSetDevice(device);
      changed_ = result_ == cudaSuccess;
    }
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  cudaError_t result() const { return result_; }

 private:
  int before_ = 0;
  bool changed_ = false;
  cudaError_t result_ = cudaSuccess;
};

}  // namespace graft::kernels::cuda
