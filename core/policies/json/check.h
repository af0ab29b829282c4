// Whether a described model holds together, so that nothing later meets a missing module or another shape.
#pragma once

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft::json_policy {

/// A causal language model whose layers have every module that their configuration needs, once, in the shapes that it
/// gives. Throws INVALID_ARGUMENT about `modules`, naming the module and what was expected.
void check_blueprint(const Blueprint& blueprint, const JsonValue& modules);

}  // namespace graft::json_policy
