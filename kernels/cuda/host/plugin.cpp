#include "kernels/cuda/host/plugin.h"

extern "C" __attribute__((visibility("default"))) const graft::kernels::DevicePlugin* graft_cuda_plugin() {
  using namespace graft::kernels;
  static constexpr DevicePlugin plugin = {
      .version = device_plugin_version,
      .build_hash = GRAFT_BUILD_HASH,
      .device_count = cuda::device_count,
      .device_info = cuda::device_info,
      .free_memory = cuda::free_memory,
      .select = cuda::select,
      .make_current = cuda::make_current,
      .library_handle_new = cuda::library_handle_new,
      .library_handle_free = cuda::library_handle_free,
      .allocate = cuda::allocate,
      .release = cuda::release,
      .host_allocate = cuda::host_allocate,
      .host_release = cuda::host_release,
      .reach = cuda::reach,
      .share = cuda::share,
      .open_shared = cuda::open_shared,
      .close_shared = cuda::close_shared,
      .stream_new = cuda::stream_new,
      .stream_free = cuda::stream_free,
      .copy = cuda::copy,
      .copy_2d = cuda::copy_2d,
      .fill = cuda::fill,
      .synchronize = cuda::synchronize,
      .stream_query = cuda::stream_query,
      .event_new = cuda::event_new,
      .event_free = cuda::event_free,
      .event_record = cuda::event_record,
      .stream_wait = cuda::stream_wait,
      .event_synchronize = cuda::event_synchronize,
      .event_query = cuda::event_query,
      .event_elapsed = cuda::event_elapsed,
      .capture_begin = cuda::capture_begin,
      .capture_end = cuda::capture_end,
      .graph_nodes = cuda::graph_nodes,
      .graph_launch = cuda::graph_launch,
      .graph_free = cuda::graph_free,
  };
  return &plugin;
}
