// A thread of the host that captures a graph in CUDA's default mode forbids other threads what may disturb it
// (allocating, asking events and streams), and such a call breaks its capture. Nothing of Graft disturbs one: its
// streams are its own.
#pragma once

#include <cuda_runtime.h>

namespace graft::kernels::cuda {

/// From here on the calling thread takes no part in that. The mode that it had before.
inline cudaStreamCaptureMode relax_captures(cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed) {
  if (cudaThreadExchangeStreamCaptureMode(&mode) != cudaSuccess) cudaGetLastError();
  return mode;
}

/// The same for a scope, on a thread that may be the host's.
class RelaxedCapture {
 public:
  RelaxedCapture() : before_(relax_captures()) {}
  ~RelaxedCapture() { relax_captures(before_); }
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;

 private:
  cudaStreamCaptureMode before_;
};

}  // namespace graft::kernels::cuda
