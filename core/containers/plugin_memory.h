// Memory of a device library, with its failures told as errors.
#pragma once

#include <cstdint>

#include "core/base/status.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

/// Calls a function of the table whose last arguments are where memory and the reason of a failure go. `what` for
/// messages. Throws OUT_OF_MEMORY, DEVICE_ERROR.
template <class Function, class... Args>
void* plugin_call(Function* function, const char* what, Args... args) {
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  void* memory = nullptr;
  const int32_t status = function(args..., &memory, &error);
  if (status == kernels::plugin_ok) return memory;
  fail(status == kernels::plugin_out_of_memory ? StatusCode::out_of_memory : StatusCode::device_error, "{}: {}", what,
       text);
}

inline void* plugin_memory(const kernels::DevicePlugin& plugin, int32_t device, int64_t bytes) {
  return plugin_call(plugin.allocate, "memory of peers", device, bytes);
}

/// Of pinned memory, 0.
inline uint32_t* plugin_word(const kernels::DevicePlugin& plugin) {
  auto* word = static_cast<uint32_t*>(plugin_call(plugin.host_allocate, "word of peers", int64_t{64}));
  *word = 0;
  return word;
}

}  // namespace graft
