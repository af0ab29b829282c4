#include "core/autotp/scanned_tree.h"

#include "core/base/status.h"

namespace graft {
namespace {

void check_depth(int64_t depth) {
  if (depth > max_scan_depth) {
    fail(StatusCode::limit_exceeded, "AutoTP: modules nest deeper than {} levels", max_scan_depth);
  }
}

void print(const ScannedModule& module, int64_t depth, std::string& out) {
  check_depth(depth);
  out += module.class_name;
  out += '(';
  const auto indent = static_cast<size_t>(2 * depth);
  for (const ScannedModule& child : module.children) {
    out += '\n';
    out.append(indent + 2, ' ').append("(").append(child.name).append("): ");
    print(child, depth + 1, out);
  }
  if (!module.children.empty()) {
    out += '\n';
    out.append(indent, ' ');
  }
  out += ')';
}

/// Takes the modules below `path` from `next` on.
void add_children(const std::vector<ModuleSpec>& modules, size_t& next, const std::string& path, ScannedModule& parent,
                  int64_t depth) {
  check_depth(depth);
  const std::string prefix = path.empty() ? "" : path + ".";
  while (next < modules.size() && modules[next].path.size() > prefix.size() &&
         modules[next].path.compare(0, prefix.size(), prefix) == 0) {
    const ModuleSpec& spec = modules[next++];
    parent.children.push_back({spec.path.substr(prefix.size()), spec.class_name, kind_of_class(spec.class_name), {}});
    add_children(modules, next, spec.path, parent.children.back(), depth + 1);
  }
}

}  // namespace

ModuleKind kind_of_class(std::string_view class_name) {
  if (class_name == "Linear" || class_name == "FalconLinear") return ModuleKind::linear;
  if (class_name == "Conv1D") return ModuleKind::conv1d;
  if (class_name == "LayerNorm") return ModuleKind::layer_norm;
  if (class_name == "Embedding" || class_name.ends_with("PositionalEmbedding") || class_name.ends_with("WordEmbedding"))
    return ModuleKind::embedding;
  if (class_name == "ModuleList") return ModuleKind::module_list;
  return ModuleKind::other;
}

ScannedModule scanned_tree(const Blueprint& blueprint) {
  ScannedModule root;
  if (blueprint.modules.empty()) return root;
  root.class_name = blueprint.modules.front().class_name;
  size_t next = 1;
  add_children(blueprint.modules, next, blueprint.modules.front().path, root, 1);
  return root;
}

std::string print_scanned(const ScannedModule& root) {
  std::string out;
  print(root, 0, out);
  return out;
}

}  // namespace graft
