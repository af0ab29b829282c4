#include "tests/cuda/host/fake_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

fake::Runtime& fake::runtime() {
  static Runtime once;
  return once;
}

namespace {

fake::Runtime& now() { return fake::runtime(); }

cudaError_t remembered(cudaError_t result) {
  if (result != cudaSuccess) now().last = result;
  return result;
}

cudaError_t answer(const char* name) {
  if (now().lost != cudaSuccess) return remembered(now().lost);
  const auto found = now().answer.find(name);
  return found == now().answer.end() ? cudaSuccess : remembered(found->second);
}

// Of what CUDA forbids while another thread captures, but to a thread whose mode is relaxed.
cudaError_t unsafe(const char* name) {
  if (!now().host_captures || now().mode == cudaStreamCaptureModeRelaxed) return answer(name);
  ++now().disturbed;
  return remembered(cudaErrorStreamCaptureUnsupported);
}

// Something that lives until it is given back.
template <class T>
cudaError_t give(const char* name, T* out) {
  const cudaError_t result = unsafe(name);
  if (result != cudaSuccess) return result;
  *out = reinterpret_cast<T>(std::malloc(1));
  ++now().live;
  return cudaSuccess;
}

cudaError_t take(const char* name, void* given) {
  std::free(given);
  --now().live;
  return unsafe(name);
}

int primary_context_state(int device, unsigned*, int* active) {
  *active = device == now().unused ? 0 : 1;
  return 0;
}

}  // namespace

extern "C" {

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** out, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult*) {
  *out =
      std::strcmp(name, "cuDevicePrimaryCtxGetState") == 0 ? reinterpret_cast<void*>(primary_context_state) : nullptr;
  return answer("cudaGetDriverEntryPointByVersion");
}

cudaError_t cudaGetLastError() {
  const cudaError_t last = now().last;
  now().last = cudaSuccess;
  return now().lost != cudaSuccess ? now().lost : last;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, now().mode);
  return answer("cudaThreadExchangeStreamCaptureMode");
}
const char* cudaGetErrorString(cudaError_t) { return "fake text"; }
const char* cudaGetErrorName(cudaError_t) { return "fakeName"; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = now().devices;
  return answer("cudaGetDeviceCount");
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = now().driver;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrComputeCapabilityMajor ? now().capability / 10 : now().capability % 10;
  return answer("cudaDeviceGetAttribute");
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::memset(properties, 0, sizeof *properties);
  std::memset(properties->name, 'x', sizeof properties->name - 1);
  std::memset(properties->uuid.bytes, 'u', sizeof properties->uuid.bytes);
  properties->major = now().capability / 10;
  properties->multiProcessorCount = 132;
  return answer("cudaGetDeviceProperties");
}
cudaError_t cudaGetDevice(int* device) {
  *device = now().current;
  return answer("cudaGetDevice");
}
cudaError_t cudaSetDevice(int device) {
  if (answer("cudaSetDevice") == cudaSuccess) {
    now().current = device;
    if (device == now().unused) now().unused = -1;
  }
  return answer("cudaSetDevice");
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  *can = now().peers && device != peer ? 1 : 0;
  return answer("cudaDeviceCanAccessPeer");
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  const cudaError_t result = answer("cudaDeviceEnablePeerAccess");
  if (result != cudaSuccess) return result;
  return now().reached.insert({now().current, peer}).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
}
cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* memory) {
  std::memset(handle, 0x80, sizeof *handle);
  std::memcpy(handle, &memory, sizeof memory);
  return answer("cudaIpcGetMemHandle");
}
cudaError_t cudaIpcOpenMemHandle(void** out, cudaIpcMemHandle_t handle, unsigned flags) {
  if (flags != cudaIpcMemLazyEnablePeerAccess) return cudaErrorInvalidValue;
  const cudaError_t result = answer("cudaIpcOpenMemHandle");
  if (result == cudaSuccess) std::memcpy(out, &handle, sizeof *out);
  if (result == cudaSuccess) now().opened.insert({now().current, *out});
  return result;
}
cudaError_t cudaIpcCloseMemHandle(void* memory) {
  return now().opened.erase({now().current, memory}) == 1 ? answer("cudaIpcCloseMemHandle") : cudaErrorInvalidValue;
}
cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  *available = 5, *total = 7;
  return answer("cudaMemGetInfo");
}
cudaError_t cudaMalloc(void** out, size_t) { return give("cudaMalloc", out); }
cudaError_t cudaFree(void* memory) { return take("cudaFree", memory); }
cudaError_t cudaHostAlloc(void** out, size_t, unsigned) { return give("cudaHostAlloc", out); }
cudaError_t cudaFreeHost(void* memory) { return take("cudaFreeHost", memory); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) { return give("cudaStreamCreateWithFlags", out); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return take("cudaStreamDestroy", stream); }
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t) {
  return answer("cudaMemcpyAsync");
}
cudaError_t cudaMemcpy2DAsync(void*, size_t, const void*, size_t, size_t, size_t, cudaMemcpyKind, cudaStream_t) {
  return answer("cudaMemcpy2DAsync");
}
cudaError_t cudaMemsetAsync(void*, int, size_t, cudaStream_t) { return answer("cudaMemsetAsync"); }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return answer("cudaStreamSynchronize"); }
cudaError_t cudaStreamQuery(cudaStream_t) { return unsafe("cudaStreamQuery"); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) { return give("cudaEventCreateWithFlags", out); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return take("cudaEventDestroy", event); }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return answer("cudaEventRecord"); }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return answer("cudaStreamWaitEvent"); }
cudaError_t cudaEventQuery(cudaEvent_t) { return unsafe("cudaEventQuery"); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return answer("cudaEventSynchronize"); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 2.5f;
  return answer("cudaEventElapsedTime");
}
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  now().recording = answer("cudaStreamBeginCapture") == cudaSuccess;
  return answer("cudaStreamBeginCapture");
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* out) {
  now().recording = false;
  *out = nullptr;
  return now().recording_broken ? cudaErrorStreamCaptureInvalidated : give("cudaStreamEndCapture", out);
}
cudaError_t cudaGraphGetNodes(cudaGraph_t, cudaGraphNode_t*, size_t* count) {
  *count = 3;
  return answer("cudaGraphGetNodes");
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t, unsigned long long) {
  return give("cudaGraphInstantiate", out);
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return answer("cudaGraphUpload"); }
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) { return answer("cudaGraphLaunch"); }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return take("cudaGraphDestroy", graph); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return take("cudaGraphExecDestroy", graph); }

}  // extern "C"
