// The boundary between libgraft_core.so and a device library such as libgraft_cuda.so: one versioned table of functions
// on plain structs. Both sides compile this file and carry the same build hash, or the load is refused.
#pragma once

#include <cstdint>

#include "kernels/spec/variant.h"

namespace graft::kernels {

inline constexpr int32_t device_plugin_version = 1;

/// Caller-owned buffer for the text of a failure, NUL-terminated and cut to its capacity.
struct PluginError {
  char* text;
  int64_t capacity;
};

/// What a device is, for `graft doctor` and for memory plans.
struct DeviceInfo {
  char name[128];
  int64_t memory_bytes;
  int32_t capability_major;
  int32_t capability_minor;
};

/// Functions return 0, or nonzero with the reason in *error. Any thread, unless a stream is said to be one thread's.
struct DevicePlugin {
  int32_t version;
  const char* build_hash;

  /// Usable devices; the reason why there are none is a failure too ("no driver", "driver older than the runtime").
  int32_t (*device_count)(int32_t* out_count, PluginError* error);
  int32_t (*device_info)(int32_t device, DeviceInfo* out_info, PluginError* error);
  /// Kernels for the device; chosen by the same rule as those of the CPU.
  const Variant* (*select)(int32_t device, Op op, const void* args);

  int32_t (*allocate)(int32_t device, int64_t bytes, void** out_memory, PluginError* error);
  void (*release)(int32_t device, void* memory);
  int32_t (*stream_new)(int32_t device, void** out_stream, PluginError* error);
  void (*stream_free)(int32_t device, void* stream);
  /// Copies between host and device in the order of the stream.
  int32_t (*copy)(void* stream, void* to, const void* from, int64_t bytes, PluginError* error);
  /// Waits for everything on the stream, and reports what failed on it.
  int32_t (*synchronize)(void* stream, PluginError* error);
};

/// The one symbol of a device library.
using GetDevicePlugin = const DevicePlugin* (*)();
inline constexpr const char* cuda_plugin_library = "libgraft_cuda.so";
inline constexpr const char* get_cuda_plugin_symbol = "graft_cuda_plugin";

}  // namespace graft::kernels
