// Apart from launch.h, since the plug-in's host files are compiled by g++, which knows nothing of device code.
#pragma once

#include <cuda_runtime.h>

namespace graft::kernels::cuda {

/// The first launch that failed on this thread since it was last cleared. `run` cannot report; the plug-in's
/// synchronize, called by the same thread, does and sets it back to cudaSuccess.
inline cudaError_t& kept_launch_error() {
  static thread_local cudaError_t error = cudaSuccess;
  return error;
}

}  // namespace graft::kernels::cuda
