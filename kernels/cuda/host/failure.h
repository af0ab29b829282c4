// Turning what the CUDA runtime returns into the plug-in's results.
#pragma once

#include <cuda_runtime.h>

#include "kernels/spec/device_plugin.h"

namespace graft::kernels::cuda {

/// Writes "text" into the buffer, cut to its capacity. Null buffers are allowed.
void write_error(PluginError* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

/// The PluginStatus of a result; writes "<call>: <what CUDA says>" unless it is success. Leaves no error behind on the
/// thread for other users of the runtime to find.
int32_t result_of(cudaError_t result, const char* call, PluginError* error);

/// The first launch that failed on the calling thread (kernels/cuda/launch.h keeps it): success when there is none.
/// Forgets it.
cudaError_t take_launch_failure();

}  // namespace graft::kernels::cuda
