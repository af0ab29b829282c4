#include "tests/cuda/device/mistakes.h"

#include <gtest/gtest.h>

#include "kernels/cuda/launch.h"

namespace graft::kernels::testing {
namespace {

__global__ void write_kernel(int* to) { *to = 1; }

}  // namespace

void launch_too_many_threads(void* stream) {
  cuda::launch(write_kernel, dim3(1), dim3(4096), 0, stream, static_cast<int*>(nullptr));
}

void launch_illegal_write(void* stream) {
  cuda::launch(write_kernel, dim3(1), dim3(1), 0, stream, reinterpret_cast<int*>(16));
}

void begin_global_capture(void* stream) {
  ASSERT_EQ(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeGlobal), cudaSuccess);
}

}  // namespace graft::kernels::testing
