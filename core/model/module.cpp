#include "core/model/module.h"

#include <fmt/core.h>

namespace graft {

std::string_view Module::name() const {
  const std::string_view path = spec_.path;
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

const at::Tensor& Module::parameter(std::string_view name) const {
  static const at::Tensor undefined;
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) return parameter.value;
  }
  return undefined;
}

std::vector<Range> Module::ranges(std::string_view name) const {
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) return parameter.ranges;
  }
  return {};
}

const Module* Module::find(Role role) const {
  if (spec_.role == role) return this;
  for (const auto& child : children_) {
    if (const Module* found = child->find(role)) return found;
  }
  return nullptr;
}

std::unique_ptr<Module> build_tree(const Blueprint& blueprint) {
  std::unique_ptr<Module> root;
  std::vector<Module*> ancestors;
  for (const ModuleSpec& spec : blueprint.modules) {
    auto module = std::make_unique<Module>(spec);
    Module* added = module.get();
    if (!root) {
      root = std::move(module);
    } else {
      // Depth-first order: drop ancestors until one is a prefix of this path.
      while (ancestors.size() > 1) {
        const std::string& path = ancestors.back()->spec().path;
        if (spec.path.size() > path.size() && spec.path.compare(0, path.size(), path) == 0 &&
            spec.path[path.size()] == '.') {
          break;
        }
        ancestors.pop_back();
      }
      ancestors.back()->children().push_back(std::move(module));
    }
    ancestors.push_back(added);
  }
  return root;
}

std::vector<Module*> decoder_layers(Module& root) {
  std::vector<Module*> layers;
  if (root.spec().layer >= 0) {
    layers.push_back(&root);
    return layers;
  }
  for (const auto& child : root.children()) {
    for (Module* layer : decoder_layers(*child)) layers.push_back(layer);
  }
  return layers;
}

namespace {

std::string print_body(const Module& module, int64_t indent) {
  if (module.children().empty()) return fmt::format("{}({})", module.spec().class_name, module.spec().detail);
  const std::string pad(static_cast<size_t>(indent + 2), ' ');
  std::string out = module.spec().class_name + "(\n";
  const auto& children = module.children();
  for (size_t i = 0; i < children.size();) {
    const std::string body = print_body(*children[i], indent + 2);
    size_t end = i + 1;
    if (module.spec().class_name == "ModuleList") {
      while (end < children.size() && print_body(*children[end], indent + 2) == body) ++end;
    }
    if (end - i > 1) {
      out += fmt::format("{}({}-{}): {} x {}\n", pad, i, end - 1, end - i, body);
    } else {
      out += fmt::format("{}({}): {}\n", pad, children[i]->name(), body);
    }
    i = end;
  }
  return out + std::string(static_cast<size_t>(indent), ' ') + ")";
}

}  // namespace

std::string print_tree(const Module& root) { return print_body(root, 0); }

}  // namespace graft
