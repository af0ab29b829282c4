// The process-wide log settings, kept here for the time before the core is loaded.
#pragma once

#include "core/facade/table.h"

namespace graft::capi {

/// Tells a core the settings in force; called once when it is loaded, and by the thunks at each change.
void forward_log_settings(const facade::Table& table) noexcept;

/// Writes a warning of this library's own to the host's log. Any thread, with no lock held.
void log_warning(const char* message);

}  // namespace graft::capi
