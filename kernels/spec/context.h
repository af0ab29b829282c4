// What a kernel is given besides its arguments: the workers it may use and, on a device, the stream to launch on.
#pragma once

#include <cstdint>

namespace graft::kernels {

/// A pool of workers owned by the caller. `run` calls `body(body_context, task, worker)` once for every task in
/// [0, tasks), with 0 <= worker < workers, and returns when all have finished. Bodies must not throw or block.
struct ParallelFor {
  void* pool;
  int32_t workers;
  void (*run)(void* pool, int64_t tasks, void* body_context,
              void (*body)(void* body_context, int64_t task, int32_t worker));
};

struct Context {
  ParallelFor parallel;  ///< on a device: `workers` is the number of its multiprocessors, the rest is null
  void* stream;          ///< the device's stream (a cudaStream_t on CUDA); null on CPU
  /// What the device library keeps of libraries that its kernels use, of DevicePlugin::library_handle_new. Null on CPU;
  /// null on a device: kernels do without.
  void* library_handle = nullptr;
};

}  // namespace graft::kernels
