// Calls of a device library, with their failures told as errors.
#pragma once

#include <string>

#include "core/base/status.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

/// Calls a function of the table, whose last argument is where the reason of a failure goes. `what` was to be done, for
/// the message. Throws OUT_OF_MEMORY, DEVICE_ERROR.
template <class Function, class... Args>
void plugin_call(Function* function, const std::string& what, Args... args) {
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  const int32_t status = function(args..., &error);
  if (status == kernels::plugin_ok) return;
  fail(status == kernels::plugin_out_of_memory ? StatusCode::out_of_memory : StatusCode::device_error, "{}: {}", what,
       text);
}

}  // namespace graft
