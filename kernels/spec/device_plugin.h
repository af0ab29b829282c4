// The boundary between libgraft_core.so and a device library such as libgraft_cuda.so: one versioned table of functions
// on plain structs. Both sides compile this file and carry the same build hash, or the load is refused.
//
// Results. Every function with a PluginError returns a PluginStatus and, unless it is ok, writes the reason as one line
// of text ("cudaMemcpyAsync: out of memory"). Nothing throws, aborts, exits or prints.
//
// Ownership. What a *_new, allocate or capture_end gives out belongs to the caller until the matching *_free or
// release, which accept null, report nothing and may be called after any failure. Whoever frees has waited until the
// device is done with it (synchronize, event_synchronize); streams, events and graphs are freed before the memory that
// their work touches.
//
// Threads. All functions may be called on any thread, and different streams at the same time. One stream, event or
// graph is used by one thread at a time. A thread calls make_current before it runs variants or uses streams, events or
// graphs of a device; device_count, device_info, select, library_info, library_handle_new, library_handle_free,
// allocate, release, reach, share, open_shared, close_shared, stream_new, stream_free, event_new, event_free,
// graph_free, host_allocate and host_release need no such call and leave the caller's device as it was.
//
// Order. Copies, fills, variants, events and graph launches on one stream run in the order of the calls, each after the
// call has returned. A host buffer given to copy stays as it is until the stream has passed the copy; where it is not
// memory of host_allocate, the call may wait for the copy instead.
//
// Failures. A call that fails has changed nothing, and everything can be used as before, except:
//   - A launch that fails within Variant::run, which returns nothing, is kept for the calling thread; the next
//     synchronize or capture_end of the thread reports it once. The ops after it ran on whatever its output held.
//   - A failure within a kernel (an address outside of memory, a trap) loses the device for this process. From then on
//     every call that needs the device returns device_lost with the first reason; only the process can end that.
#pragma once

#include <cstdint>

#include "kernels/spec/variant.h"

namespace graft::kernels {

inline constexpr int32_t device_plugin_version = 8;

enum PluginStatus : int32_t {
  plugin_ok = 0,
  plugin_failed = 1,
  plugin_out_of_memory = 2,
  plugin_device_lost = 3,
};

/// Caller-owned buffer for the text of a failure, NUL-terminated and cut to its capacity. May be null.
struct PluginError {
  char* text;
  int64_t capacity;
};

/// What a device is, for `graft doctor`, for memory plans and for launch plans.
struct DeviceInfo {
  char name[128];
  int64_t memory_bytes;
  int64_t l2_bytes;
  int64_t shared_bytes;  ///< of one block, at most
  int32_t capability_major;
  int32_t capability_minor;
  int32_t multiprocessors;
  bool usable;       ///< the library has kernels for it; select gives none for a device that is too old
  uint8_t uuid[16];  ///< no other device has it, on any machine; the same in every process that sees this one
};

/// The library that kernels leave whole products to (cuBLASLt), for `graft doctor`.
struct LibraryInfo {
  char version[32];  ///< "13.1.0"
};

/// By what another process on this machine finds a device's memory. No more than bytes: it may travel anywhere.
struct SharedMemory {
  uint8_t bytes[64];
};

struct DevicePlugin {
  int32_t version;
  const char* build_hash;

  // --- devices. Numbered from 0 as the driver shows them to this process (CUDA_VISIBLE_DEVICES).
  /// Devices, usable or not (DeviceInfo). That none is usable is a failure too, whose reason is plain: no driver, a
  /// driver that is too old, no device, devices that are too old.
  int32_t (*device_count)(int32_t* out_count, PluginError* error);
  /// Takes no memory on the device.
  int32_t (*device_info)(int32_t device, DeviceInfo* out_info, PluginError* error);
  /// Bytes that nobody uses at the moment. Prepares the device for this process, which takes it some 100 MB.
  int32_t (*free_memory)(int32_t device, int64_t* out_bytes, PluginError* error);
  /// The kernel for arguments of device memory, by the same rule as on the CPU: the highest Isa that the device has,
  /// that GRAFT_KERNELS allows (sm80, sm90 or sm100; read once) and that accepts them; null when there is none.
  /// Static data. Its scratch_bytes is asked with `workers` = DeviceInfo::multiprocessors, and it runs with
  /// Context{{nullptr, multiprocessors, nullptr}, stream, handle}. Everything that its arguments point to, counts such
  /// as *rows included, is memory of the device; the argument struct itself is read before `run` returns.
  const Variant* (*select)(int32_t device, Op op, const void* args);
  /// Makes the device the one that the calling thread works with.
  int32_t (*make_current)(int32_t device, PluginError* error);

  // --- libraries
  /// Looks for the library once, whether or not there is a device; a failure, with the reason, where it is missing or
  /// not one that can be used. Takes no memory on any device.
  int32_t (*library_info)(LibraryInfo* out_info, PluginError* error);
  /// What kernels keep of that library (with the algorithms that it named): for Context::library_handle of work on this
  /// device, used by one thread at a time. Null, and no failure, where kernels have to do without it: the reason is in
  /// `error` all the same. Freed after the graphs that were captured with it.
  int32_t (*library_handle_new)(int32_t device, void** out_handle, PluginError* error);
  void (*library_handle_free)(int32_t device, void* handle);

  // --- memory
  /// At least 256-byte aligned, not initialised. 0 bytes give null.
  int32_t (*allocate)(int32_t device, int64_t bytes, void** out_memory, PluginError* error);
  void (*release)(int32_t device, void* memory);
  /// Host memory that copies need not wait for, pinned for every device and readable by kernels at the same address.
  int32_t (*host_allocate)(int64_t bytes, void** out_memory, PluginError* error);
  void (*host_release)(void* memory);

  // --- peers
  /// From here on, for the life of the process, kernels on `device` may read and write memory of `peer`, what was
  /// allocated before included, where the machine allows it: `out_reached` says so. A device reaches itself. Asking
  /// again is no failure. Prepares both devices for this process.
  int32_t (*reach)(int32_t device, int32_t peer, bool* out_reached, PluginError* error);
  /// What other processes open memory of allocate() by. It is released after they have closed it.
  int32_t (*share)(int32_t device, void* memory, SharedMemory* out_shared, PluginError* error);
  /// Memory that another process shares, of whatever device, for kernels on `device`: a failure where that does not
  /// reach it. At most once at a time.
  int32_t (*open_shared)(int32_t device, const SharedMemory* shared, void** out_memory, PluginError* error);
  void (*close_shared)(int32_t device, void* memory);

  // --- streams. A stream waits for no other, the device's default stream included.
  int32_t (*stream_new)(int32_t device, void** out_stream, PluginError* error);
  void (*stream_free)(int32_t device, void* stream);
  /// Between host and device either way, or within the device.
  int32_t (*copy)(void* stream, void* to, const void* from, int64_t bytes, PluginError* error);
  /// `rows` pieces of row_bytes, strides in bytes, at least row_bytes.
  int32_t (*copy_2d)(void* stream, void* to, int64_t to_stride, const void* from, int64_t from_stride,
                     int64_t row_bytes, int64_t rows, PluginError* error);
  /// Sets every byte to `value`.
  int32_t (*fill)(void* stream, void* to, uint8_t value, int64_t bytes, PluginError* error);
  /// Waits for everything on the stream, and reports what failed on it since the last time, launches included. Not
  /// allowed between capture_begin and capture_end.
  int32_t (*synchronize)(void* stream, PluginError* error);
  /// Whether all work of the stream is done, without waiting for it. What failed is told by this or by the next
  /// synchronize. Not allowed between capture_begin and capture_end.
  int32_t (*stream_query)(void* stream, bool* out_done, PluginError* error);

  // --- events: a point in a stream's work
  /// `timed`: event_elapsed may be asked; costs a little more.
  int32_t (*event_new)(int32_t device, bool timed, void** out_event, PluginError* error);
  void (*event_free)(void* event);
  int32_t (*event_record)(void* event, void* stream, PluginError* error);
  /// Later work of the stream begins when the event's last record is reached; of any stream, also another device's.
  int32_t (*stream_wait)(void* stream, void* event, PluginError* error);
  int32_t (*event_synchronize)(void* event, PluginError* error);
  /// Whether the event's last record is reached, without waiting for it; true where there is none.
  int32_t (*event_query)(void* event, bool* out_reached, PluginError* error);
  /// Between two timed events of one device that both have been reached. Resolution about half a microsecond.
  int32_t (*event_elapsed)(void* begin, void* end, float* out_milliseconds, PluginError* error);

  // --- graphs: a stream's work recorded once and launched as a whole
  /// From here until capture_end, what goes to the stream is recorded instead of run. The caller does not
  /// synchronize and copies nothing from memory that is not of host_allocate; what is launched for the first time, and
  /// libraries, may allocate and load meanwhile. Other threads and streams go on undisturbed.
  int32_t (*capture_begin)(void* stream, PluginError* error);
  /// Ends the recording whatever happened within it; the stream can be used again in any case. The graph has been
  /// prepared on the device, so that its first launch costs as much as any.
  int32_t (*capture_end)(void* stream, void** out_graph, PluginError* error);
  /// Nodes of the graph: one for each kernel, copy and fill.
  int64_t (*graph_nodes)(void* graph);
  int32_t (*graph_launch)(void* graph, void* stream, PluginError* error);
  void (*graph_free)(void* graph);
};

/// The one symbol of a device library.
using GetDevicePlugin = const DevicePlugin* (*)();
inline constexpr const char* cuda_plugin_library = "libgraft_cuda.so";
inline constexpr const char* get_cuda_plugin_symbol = "graft_cuda_plugin";

}  // namespace graft::kernels
