#pragma once

#include <string>

#include "core/base/status.h"

namespace graft {

/// Status and text of the exception that is being handled: our own, out of memory, LibTorch's, then anything else.
void describe_failure(StatusCode& code, std::string& message) noexcept;

}  // namespace graft
