#include "kernels/cuda/host/failure.h"

#include <cstdarg>
#include <cstdio>

#include "kernels/cuda/launch_error.h"

namespace graft::kernels::cuda {
namespace {

// Errors after which the runtime gives the same answer to everything for the life of the process.
bool loses_the_device(cudaError_t result) {
  switch (result) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorLaunchFailure:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorExternalDevice:
    case cudaErrorContextIsDestroyed:
    case cudaErrorMpsRpcFailure:
    case cudaErrorMpsClientTerminated:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

void write_error(PluginError* error, const char* format, ...) {
  if (error == nullptr || error->text == nullptr || error->capacity < 1) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, static_cast<size_t>(error->capacity), format, arguments);
  va_end(arguments);
}

int32_t result_of(cudaError_t result, const char* call, PluginError* error) {
  if (result == cudaSuccess) return plugin_ok;
  cudaGetLastError();
  if (loses_the_device(result)) {
    write_error(error, "%s: the device is lost to this process: %s (%s)", call, cudaGetErrorString(result),
                cudaGetErrorName(result));
    return plugin_device_lost;
  }
  write_error(error, "%s: %s (%s)", call, cudaGetErrorString(result), cudaGetErrorName(result));
  return result == cudaErrorMemoryAllocation ? plugin_out_of_memory : plugin_failed;
}

cudaError_t take_launch_failure() {
  const cudaError_t kept = kept_launch_error();
  kept_launch_error() = cudaSuccess;
  return kept;
}

}  // namespace graft::kernels::cuda
