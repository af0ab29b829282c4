#pragma once

#include <functional>
#include <span>
#include <string>

#include "core/model/load.h"

namespace graft {

/// Called with a module of a wanted class and its place among those that were replaced (0, 1, ...). It and everything
/// below it has its parameters; what it does not take of them stays in the tree.
using ReplaceModule = std::function<void(Module& module, int64_t index)>;

/// Walks the tree once, depth-first: every module gets its parameters from `loader`, and those of a class in `classes`
/// (empty: the layers, whatever their class) are given to `replace` as soon as they are complete, before the next one
/// is read; so no more than one layer is held in both forms. `replace` may be empty: the weights are streamed, nothing
/// is replaced. Returns how many were replaced. Throws INVALID_ARGUMENT naming a class that is not in the tree.
int64_t replace_module(Module& root, std::span<const std::string> classes, ModelLoader& loader,
                       const ReplaceModule& replace);

}  // namespace graft
