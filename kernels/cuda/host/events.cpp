#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"

namespace graft::kernels::cuda {
namespace {

cudaEvent_t event_of(void* event) { return static_cast<cudaEvent_t>(event); }

}  // namespace

int32_t event_new(int32_t device, bool timed, void** out_event, PluginError* error) {
  *out_event = nullptr;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  cudaEvent_t event = nullptr;
  // Who waits for a step leaves its processor to others; that it wakes some microseconds later costs the device
  // nothing.
  const unsigned flags = timed ? cudaEventDefault : cudaEventDisableTiming | cudaEventBlockingSync;
  const int32_t status = result_of(cudaEventCreateWithFlags(&event, flags), "cudaEventCreate", error);
  if (status == plugin_ok) *out_event = event;
  return status;
}

void event_free(void* event) {
  if (event != nullptr && cudaEventDestroy(event_of(event)) != cudaSuccess) cudaGetLastError();
}

int32_t event_record(void* event, void* stream, PluginError* error) {
  return result_of(cudaEventRecord(event_of(event), static_cast<cudaStream_t>(stream)), "cudaEventRecord", error);
}

int32_t stream_wait(void* stream, void* event, PluginError* error) {
  return result_of(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), event_of(event), 0), "cudaStreamWaitEvent",
                   error);
}

int32_t event_synchronize(void* event, PluginError* error) {
  return result_of(cudaEventSynchronize(event_of(event)), "cudaEventSynchronize", error);
}

int32_t event_query(void* event, bool* out_reached, PluginError* error) {
  const cudaError_t result = cudaEventQuery(event_of(event));
  *out_reached = result == cudaSuccess;
  if (result != cudaErrorNotReady) return result_of(result, "cudaEventQuery", error);
  cudaGetLastError();  // the runtime keeps it as if it were a failure
  return plugin_ok;
}

int32_t event_elapsed(void* begin, void* end, float* out_milliseconds, PluginError* error) {
  *out_milliseconds = 0;
  return result_of(cudaEventElapsedTime(out_milliseconds, event_of(begin), event_of(end)), "cudaEventElapsedTime",
                   error);
}

}  // namespace graft::kernels::cuda
