#include "core/containers/peer_areas.h"

#include "core/containers/plugin_call.h"

namespace graft {

void* allocate_area(const kernels::DevicePlugin& plugin, int32_t device, int64_t bytes) {
  void* memory = nullptr;
  plugin_call(plugin.allocate, "memory of peers", device, bytes, &memory);
  return memory;
}

uint32_t* allocate_word(const kernels::DevicePlugin& plugin) {
  void* memory = nullptr;
  plugin_call(plugin.host_allocate, "word of peers", int64_t{64}, &memory);
  auto* word = static_cast<uint32_t*>(memory);
  *word = 0;
  return word;
}

}  // namespace graft
