#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/cuda/choose.h"
#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/on_device.h"
#include "kernels/cuda/host/plugin.h"
#include "kernels/spec/isa_names.h"

namespace graft::kernels::cuda {
namespace {

// CUDA writes 13.0 as 13000.
int major_of(int version) { return version / 1000; }
int minor_of(int version) { return version % 1000 / 10; }

int32_t tell_why_none(cudaError_t result, PluginError* error) {
  cudaGetLastError();
  int driver = 0, runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  cudaRuntimeGetVersion(&runtime);
  if (result == cudaErrorInsufficientDriver && driver == 0) {
    write_error(error, "no NVIDIA driver: libcuda.so.1 was not found, or could not be loaded");
  } else if (result == cudaErrorInsufficientDriver) {
    write_error(error, "the NVIDIA driver is for CUDA %d.%d, expected %d.%d or later", major_of(driver),
                minor_of(driver), major_of(runtime), minor_of(runtime));
  } else if (result == cudaErrorNoDevice || result == cudaSuccess) {
    const char* visible = getenv("CUDA_VISIBLE_DEVICES");
    if (visible != nullptr) {
      write_error(error, "the NVIDIA driver shows no device (CUDA_VISIBLE_DEVICES is \"%.64s\")", visible);
    } else {
      write_error(error, "the NVIDIA driver shows no device");
    }
  } else if (result == cudaErrorInitializationError) {
    cudaGetLastError();
    write_error(error, "cudaGetDeviceCount: %s (%s), as in a process forked from one that used CUDA",
                cudaGetErrorString(result), cudaGetErrorName(result));
  } else {  // whatever it is, no device was lost: there has been none
    cudaGetLastError();
    write_error(error, "cudaGetDeviceCount: %s (%s)", cudaGetErrorString(result), cudaGetErrorName(result));
  }
  return plugin_failed;
}

int attribute(cudaDeviceAttr which, int32_t device) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, device) == cudaSuccess) return value;
  cudaGetLastError();
  return 0;
}

Isa isa_of(int32_t device) {
  return isa_of_capability(attribute(cudaDevAttrComputeCapabilityMajor, device),
                           attribute(cudaDevAttrComputeCapabilityMinor, device));
}

// The highest that GRAFT_KERNELS allows, read once. A CPU's name limits nothing here.
Isa forced_isa() {
  static const Isa once = [] {
    const char* value = getenv("GRAFT_KERNELS");
    const IsaName* known = value != nullptr ? find_isa(value) : nullptr;
    return known != nullptr && is_device_isa(known->isa) ? known->isa : Isa::sm100;
  }();
  return once;
}

}  // namespace

int32_t device_count(int32_t* out_count, PluginError* error) {
  int count = 0;
  *out_count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess || count < 1) return tell_why_none(result, error);
  for (int device = 0; device < count; ++device) {
    if (isa_of(device) != Isa::reference) {
      *out_count = count;
      return plugin_ok;
    }
  }
  write_error(error, "%d CUDA device%s of compute capability %d.%d, expected 8.0 or later", count,
              count == 1 ? "" : "s", attribute(cudaDevAttrComputeCapabilityMajor, 0),
              attribute(cudaDevAttrComputeCapabilityMinor, 0));
  return plugin_failed;
}

int32_t device_info(int32_t device, DeviceInfo* out_info, PluginError* error) {
  cudaDeviceProp properties;
  const int32_t status = result_of(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties", error);
  if (status != plugin_ok) return status;
  *out_info = {};
  snprintf(out_info->name, sizeof out_info->name, "%.127s", properties.name);
  out_info->memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  out_info->l2_bytes = properties.l2CacheSize;
  out_info->shared_bytes = static_cast<int64_t>(properties.sharedMemPerBlockOptin);
  out_info->capability_major = properties.major;
  out_info->capability_minor = properties.minor;
  out_info->multiprocessors = properties.multiProcessorCount;
  out_info->usable = isa_of_capability(properties.major, properties.minor) != Isa::reference;
  static_assert(sizeof out_info->uuid == sizeof properties.uuid.bytes);
  memcpy(out_info->uuid, properties.uuid.bytes, sizeof out_info->uuid);
  return plugin_ok;
}

int32_t free_memory(int32_t device, int64_t* out_bytes, PluginError* error) {
  const OnDevice on(device);
  if (on.result() != cudaSuccess) return result_of(on.result(), "cudaSetDevice", error);
  size_t available = 0, total = 0;
  const int32_t status = result_of(cudaMemGetInfo(&available, &total), "cudaMemGetInfo", error);
  *out_bytes = static_cast<int64_t>(available);
  return status;
}

const Variant* select(int32_t device, Op op, const void* args) {
  const Isa has = isa_of(device), allowed = forced_isa();
  return choose(cuda_kernel_table(), has < allowed ? has : allowed, op, args);
}

int32_t make_current(int32_t device, PluginError* error) {
  const int32_t status = result_of(cudaSetDevice(device), "cudaSetDevice", error);
  if (status == plugin_ok) relax_captures();
  if (status != plugin_ok || isa_of(device) != Isa::reference) return status;
  write_error(error, "CUDA device %d has compute capability %d.%d, expected 8.0 or later", device,
              attribute(cudaDevAttrComputeCapabilityMajor, device),
              attribute(cudaDevAttrComputeCapabilityMinor, device));
  return plugin_failed;
}

}  // namespace graft::kernels::cuda
