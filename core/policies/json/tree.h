// The module tree of an architecture's JSON.
#pragma once

#include "core/model/blueprint.h"
#include "core/policies/json/fields.h"

namespace graft::json_policy {

/// Appends what `modules` lists to the blueprint, whose configuration is complete. INVALID_ARGUMENT naming the place.
void add_modules(const JsonArray& modules, Fields& fields, Blueprint& blueprint);

}  // namespace graft::json_policy
