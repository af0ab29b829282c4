#pragma once

#include "core/facade/table.h"
#include "core/generation/engine.h"

namespace graft::facade {

/// A request's input and options as the core wants them; text is tokenised here, on the caller's thread. Throws
/// INVALID_ARGUMENT for inputs that contradict each other, UNSUPPORTED naming an option that is not in this release.
RequestSpec read_spec(const graft::Engine& engine, const Input& input, const RequestOptions* options);

}  // namespace graft::facade
