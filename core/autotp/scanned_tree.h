// A model's modules as AutoTP sees them: names, classes and their order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model/blueprint.h"

namespace graft {

/// What a class is or is derived from, as far as AutoTP asks.
enum class ModuleKind : int32_t { other, linear, conv1d, layer_norm, embedding, module_list };

struct ScannedModule {
  std::string name;        ///< "q_proj"; "" for the root
  std::string class_name;  ///< "Linear"
  ModuleKind kind = ModuleKind::other;
  std::vector<ScannedModule> children;
};

/// Deepest tree that is scanned; deeper ones fail with `limit_exceeded`.
inline constexpr int64_t max_scan_depth = 128;

/// The kind of a class from its name alone: classes derived from nn.Linear are known by name, RMS norms are `other`.
ModuleKind kind_of_class(std::string_view class_name);

/// The tree of a blueprint.
ScannedModule scanned_tree(const Blueprint& blueprint);

/// The tree in Python's notation, each module on a line of its own, equal neighbours not folded, no sizes.
std::string print_scanned(const ScannedModule& root);

}  // namespace graft
