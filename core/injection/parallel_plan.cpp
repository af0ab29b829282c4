#include "core/injection/parallel_plan.h"

#include <algorithm>
#include <string_view>

#include "core/autotp/replacement.h"
#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

bool is_linear(const ModuleSpec& module) {
  const ModuleKind kind = kind_of_class(module.class_name);
  return kind == ModuleKind::linear || kind == ModuleKind::conv1d;
}

bool names(const std::string& name, std::string_view path_in_layer) {
  if (name.starts_with('.')) return path_in_layer == std::string_view(name).substr(1);
  return path_in_layer == name || path_in_layer.ends_with("." + name);
}

const ScannedModule* find_class(const ScannedModule& module, const std::string& class_name) {
  if (module.class_name == class_name) return &module;
  for (const ScannedModule& child : module.children) {
    if (const ScannedModule* found = find_class(child, class_name)) return found;
  }
  return nullptr;
}

// Paths inside the layer that AutoTP keeps whole whatever is named.
std::vector<std::string> kept_whole(const ScannedModule& layer, const LayerPlan& plan) {
  std::vector<std::string> kept;
  for (const LinearReplacement& entry : replace_layer(layer, plan.row_parallel)) {
    if (entry.kind == ReplacementKind::replicated) kept.push_back(entry.path);
  }
  return kept;
}

void check_role(const ModuleSpec& module, const LayerPlan& plan) {
  const bool ends_block = module.role == Role::attention_output || module.role == Role::down;
  const bool row = module.parallel == ParallelRole::row;
  if (row && !ends_block) {
    fail(StatusCode::invalid_argument, "layer class {}: '{}' is named row-parallel, but its outputs are not summed",
         quote(plan.layer_class), module.path);
  }
  if (!row && ends_block) {
    fail(StatusCode::invalid_argument,
         "layer class {}: '{}' is not among the row-parallel names, but its inputs are split", quote(plan.layer_class),
         module.path);
  }
}

void assign(Blueprint& blueprint, const LayerPlan& plan, const ScannedModule& tree) {
  const ScannedModule* layer = find_class(tree, plan.layer_class);
  if (layer == nullptr) {
    fail(StatusCode::invalid_argument, "{} has no layer class {}", blueprint.config.architecture,
         quote(plan.layer_class));
  }
  const std::vector<std::string> kept = kept_whole(*layer, plan);
  std::set<std::string> used;
  std::string prefix;  // of the layer that is being walked
  bool inside = false;
  for (ModuleSpec& module : blueprint.modules) {
    if (module.layer >= 0 && (prefix.empty() || !module.path.starts_with(prefix))) {
      prefix = module.path + ".";
      inside = module.class_name == plan.layer_class;
      continue;
    }
    if (module.layer < 0 || !inside || !is_linear(module)) continue;
    const std::string_view path = std::string_view(module.path).substr(prefix.size());
    module.parallel = std::ranges::find(kept, path) != kept.end() ? ParallelRole::replicated : ParallelRole::column;
    for (const std::string& name : plan.row_parallel) {
      if (!names(name, path)) continue;
      module.parallel = ParallelRole::row;
      used.insert(name);
    }
    if (module.parallel != ParallelRole::replicated) check_role(module, plan);
  }
  for (const std::string& name : plan.row_parallel) {
    if (!used.contains(name)) {
      fail(StatusCode::invalid_argument, "layer class {}: no linear is called {}", quote(plan.layer_class),
           quote(name));
    }
  }
}

}  // namespace

void assign_parallel_roles(Blueprint& blueprint, const std::vector<LayerPlan>& plan) {
  const ScannedModule tree = scanned_tree(blueprint);
  for (const LayerPlan& entry : plan) assign(blueprint, entry, tree);
}

void assign_scanned_roles(Blueprint& blueprint) {
  assign_parallel_roles(blueprint, tp_parser(scanned_tree(blueprint)));
}

}  // namespace graft
