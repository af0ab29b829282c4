// The functions behind the DevicePlugin table; kernels/spec/device_plugin.h says what each does.
#pragma once

#include "kernels/spec/device_plugin.h"

namespace graft::kernels::cuda {

int32_t device_count(int32_t* out_count, PluginError* error);
int32_t device_info(int32_t device, DeviceInfo* out_info, PluginError* error);
int32_t free_memory(int32_t device, int64_t* out_bytes, PluginError* error);
const Variant* select(int32_t device, Op op, const void* args);
int32_t make_current(int32_t device, PluginError* error);
int32_t library_info(LibraryInfo* out_info, PluginError* error);
int32_t library_handle_new(int32_t device, void** out_handle, PluginError* error);
void library_handle_free(int32_t device, void* handle);

int32_t allocate(int32_t device, int64_t bytes, void** out_memory, PluginError* error);
void release(int32_t device, void* memory);
int32_t host_allocate(int64_t bytes, void** out_memory, PluginError* error);
void host_release(void* memory);

int32_t reach(int32_t device, int32_t peer, bool* out_reached, PluginError* error);
int32_t share(int32_t device, void* memory, SharedMemory* out_shared, PluginError* error);
int32_t open_shared(int32_t device, const SharedMemory* shared, void** out_memory, PluginError* error);
void close_shared(int32_t device, void* memory);

int32_t stream_new(int32_t device, void** out_stream, PluginError* error);
void stream_free(int32_t device, void* stream);
int32_t copy(void* stream, void* to, const void* from, int64_t bytes, PluginError* error);
int32_t copy_2d(void* stream, void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                int64_t rows, PluginError* error);
int32_t fill(void* stream, void* to, uint8_t value, int64_t bytes, PluginError* error);
int32_t synchronize(void* stream, PluginError* error);
int32_t stream_query(void* stream, bool* out_done, PluginError* error);

int32_t event_new(int32_t device, bool timed, void** out_event, PluginError* error);
void event_free(void* event);
int32_t event_record(void* event, void* stream, PluginError* error);
int32_t stream_wait(void* stream, void* event, PluginError* error);
int32_t event_synchronize(void* event, PluginError* error);
int32_t event_query(void* event, bool* out_reached, PluginError* error);
int32_t event_elapsed(void* begin, void* end, float* out_milliseconds, PluginError* error);

int32_t capture_begin(void* stream, PluginError* error);
int32_t capture_end(void* stream, void** out_graph, PluginError* error);
int64_t graph_nodes(void* graph);
int32_t graph_launch(void* graph, void* stream, PluginError* error);
void graph_free(void* graph);

}  // namespace graft::kernels::cuda
