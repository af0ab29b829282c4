#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"

namespace graft::kernels::cuda {
namespace {

cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

int32_t stream_new(int32_t device, void** out_stream, PluginError* error) {
  *out_stream = nullptr;
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  cudaStream_t stream = nullptr;
  const int32_t status =
      result_of(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate", error);
  if (status == plugin_ok) *out_stream = stream;
  return status;
}

void stream_free(int32_t device, void* stream) {
  if (stream == nullptr) return;
  const OnDevice on(device);
  if (cudaStreamDestroy(stream_of(stream)) != cudaSuccess) cudaGetLastError();
}

int32_t copy(void* stream, void* to, const void* from, int64_t bytes, PluginError* error) {
  if (bytes == 0) return plugin_ok;
  return result_of(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault, stream_of(stream)),
                   "cudaMemcpyAsync", error);
}

int32_t copy_2d(void* stream, void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                int64_t rows, PluginError* error) {
  if (rows == 0 || row_bytes == 0) return plugin_ok;
  return result_of(cudaMemcpy2DAsync(to, static_cast<size_t>(to_stride), from, static_cast<size_t>(from_stride),
                                     static_cast<size_t>(row_bytes), static_cast<size_t>(rows), cudaMemcpyDefault,
                                     stream_of(stream)),
                   "cudaMemcpy2DAsync", error);
}

int32_t fill(void* stream, void* to, uint8_t value, int64_t bytes, PluginError* error) {
  if (bytes == 0) return plugin_ok;
  return result_of(cudaMemsetAsync(to, value, static_cast<size_t>(bytes), stream_of(stream)), "cudaMemsetAsync", error);
}

int32_t synchronize(void* stream, PluginError* error) {
  // What a lost device says goes before a launch that failed: it is why, or worse.
  const int32_t status = result_of(cudaStreamSynchronize(stream_of(stream)), "cudaStreamSynchronize", error);
  const cudaError_t launch = take_launch_failure();
  return status != plugin_ok ? status : result_of(launch, "launching a kernel", error);
}

int32_t stream_query(void* stream, bool* out_done, PluginError* error) {
  const cudaError_t result = cudaStreamQuery(stream_of(stream));
  *out_done = result == cudaSuccess;
  if (result != cudaErrorNotReady) return result_of(result, "cudaStreamQuery", error);
  cudaGetLastError();  // the runtime keeps it as if it were a failure
  return plugin_ok;
}

}  // namespace graft::kernels::cuda
