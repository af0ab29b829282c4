// Which linears are row-parallel: by the policy's roles, by the user's names, or by what AutoTP's scan finds.
#pragma once

#include <vector>

#include "core/autotp/parser.h"
#include "core/model/blueprint.h"

namespace graft {

/// Gives the linears of the layer classes of `plan` their parts: the named ones are row-parallel, those that AutoTP
/// keeps whole stay so, all others are column-parallel. A name is the end of a path inside the layer ("output.dense"
/// names both of BERT's), with a leading dot a direct child. What the layer's structure needs is checked: its attention
/// output and its feed-forward output, and nothing else, must be row-parallel.
/// Throws INVALID_ARGUMENT naming the class that the model does not have, the name that matches nothing, or the linear
/// that is missing or must not be there.
void assign_parallel_roles(Blueprint& blueprint, const std::vector<LayerPlan>& plan);

/// The same from AutoTP's scan of the module tree alone, as for a model whose policy states no roles.
void assign_scanned_roles(Blueprint& blueprint);

}  // namespace graft
