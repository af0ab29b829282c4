// Launching kernels from a variant's `run`. Host code, but no C++ library: every .cu file includes it.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/grid_plan.h"
#include "kernels/cuda/launch_error.h"
#include "kernels/cuda/ptx.h"
#include "kernels/spec/context.h"

namespace graft::kernels::cuda {

/// Multiprocessors of the current device, or what the context was told: plans must see the number that scratch_bytes
/// saw.
inline int32_t multiprocessors(const Context& context) {
  if (context.parallel.workers > 0) return context.parallel.workers;
  int device = 0, count = 1;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
  return count;
}

/// Dynamic shared memory that the current device lets a block have. Only plans without scratch may depend on it:
/// scratch_bytes does not know the device.
inline int32_t shared_limit() {
  int device = 0, bytes = least_shared_limit;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  return bytes;
}

template <class... Parameters, class... Arguments>
void launch_with(bool overlapped, void (*kernel)(Parameters...), dim3 grid, dim3 block, int64_t shared_bytes,
                 void* stream, Arguments&&... arguments) {
  constexpr int64_t free_shared_bytes = 48 * 1024;  // more must be asked for, per kernel
  cudaError_t error = cudaSuccess;
  if (shared_bytes > free_shared_bytes) {
    // The device's limit and not this launch's need: another thread may be between its own two calls.
    error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_limit());
  }
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
  config.stream = static_cast<cudaStream_t>(stream);
  config.attrs = &attribute;
  config.numAttrs = overlapped ? 1 : 0;
  if (error == cudaSuccess) error = cudaLaunchKernelEx(&config, kernel, static_cast<Arguments&&>(arguments)...);
  if (error == cudaSuccess) return;
  cudaGetLastError();  // or a later call of anybody's would report it
  if (kept_launch_error() == cudaSuccess) kept_launch_error() = error;
}

/// Starts `kernel` on `stream`. Grid dimensions must be at least 1; arguments are copied.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, int64_t shared_bytes, void* stream,
            Arguments&&... arguments) {
  launch_with(false, kernel, grid, block, shared_bytes, stream, static_cast<Arguments&&>(arguments)...);
}
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Blocks& blocks, void* stream, Arguments&&... arguments) {
  launch(kernel, {blocks.across, blocks.down, 1}, {static_cast<unsigned>(blocks.threads), 1, 1}, blocks.shared_bytes,
         stream, static_cast<Arguments&&>(arguments)...);
}

/// The same, for kernels that call wait_for_previous_kernel() in every thread (ptx.h): they may start before the
/// kernel in front has ended (programmatic dependent launch, capability 9.0 and later; plain before).
template <class... Parameters, class... Arguments>
void launch_overlapped(void (*kernel)(Parameters...), dim3 grid, dim3 block, int64_t shared_bytes, void* stream,
                       Arguments&&... arguments) {
  int device = 0, major = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  launch_with(major >= 9, kernel, grid, block, shared_bytes, stream, static_cast<Arguments&&>(arguments)...);
}
template <class... Parameters, class... Arguments>
void launch_overlapped(void (*kernel)(Parameters...), const Blocks& blocks, void* stream, Arguments&&... arguments) {
  launch_overlapped(kernel, {blocks.across, blocks.down, 1}, {static_cast<unsigned>(blocks.threads), 1, 1},
                    blocks.shared_bytes, stream, static_cast<Arguments&&>(arguments)...);
}

}  // namespace graft::kernels::cuda
