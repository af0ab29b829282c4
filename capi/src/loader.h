// Finds and loads LibTorch and libgraft_core.so, on first need.
//
// Success is kept for the life of the process. A failure is not: the next call looks again, so that another engine
// option or a changed environment can succeed.
#pragma once

#include <string>

#include "capi/src/torch_search.h"
#include "core/facade/table.h"
#include "graft/status.h"

namespace graft::capi {

/// What the last attempt found, for graft_doctor.
struct LoadReport {
  std::string library;  ///< path of libgraft.so
  TorchSearch torch;
  std::string core;     ///< path of libgraft_core.so, empty when not loaded
  std::string failure;  ///< empty when loaded
};

/// The core's table. Loads it first if that has not been done; throws Failed when it cannot be loaded. Any thread.
const facade::Table& load_core(const std::string& library_directory);

/// The table if it is loaded, else null. Any thread.
const facade::Table* loaded_core() noexcept;

/// The table, for a call on a handle of the core: such a handle exists only when the core is loaded.
inline const facade::Table& core_table() noexcept { return *loaded_core(); }

/// Loads if needed, and tells what was found; a failure is part of the answer.
LoadReport load_and_report();

}  // namespace graft::capi
