// The client model's tree: modules named and ordered as Transformers prints them, with their parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/blueprint.h"

namespace graft {

struct Parameter {
  std::string name;
  at::Tensor value;
  /// Of a deferred load (ModelLoader): the out features of `value` that are the parameter, where those are several
  /// ranges; empty: it is the value.
  std::vector<Range> ranges = {};
};

/// A node of the tree. Owns its children; parameters share storage with the mapped checkpoint where no conversion was
/// needed. Replaced in place by injection.
class Module {
 public:
  explicit Module(const ModuleSpec& spec) : spec_(spec) {}

  const ModuleSpec& spec() const { return spec_; }
  /// Last part of the path ("q_proj").
  std::string_view name() const;

  std::vector<Parameter>& parameters() { return parameters_; }
  /// The parameter of that name, an undefined tensor when there is none.
  const at::Tensor& parameter(std::string_view name) const;
  /// Its ranges, empty also when there is none.
  std::vector<Range> ranges(std::string_view name) const;

  std::vector<std::unique_ptr<Module>>& children() { return children_; }
  const std::vector<std::unique_ptr<Module>>& children() const { return children_; }

  /// The first module of a role at or below this one; null when there is none.
  const Module* find(Role role) const;
  Module* find(Role role) { return const_cast<Module*>(std::as_const(*this).find(role)); }

 private:
  ModuleSpec spec_;
  std::vector<Parameter> parameters_;
  std::vector<std::unique_ptr<Module>> children_;
};

/// The tree of a blueprint without parameters.
std::unique_ptr<Module> build_tree(const Blueprint& blueprint);

/// The decoder layers of a tree, in order.
std::vector<Module*> decoder_layers(Module& root);

/// The tree as Transformers prints it (equal neighbours folded to "(0-3): 4 x Class").
std::string print_tree(const Module& root);

}  // namespace graft
