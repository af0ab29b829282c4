// The module tree of a plan with all its parameters, nothing replaced.
#pragma once

#include <memory>

#include "core/engine/model_plan.h"
#include "core/injection/replace_module.h"

namespace graft {

inline std::unique_ptr<Module> load_tree(const ModelPlan& plan, DType dtype) {
  std::unique_ptr<Module> root = build_tree(plan.share);
  ModelLoader loader(plan.weights, dtype, /*copy=*/false, nullptr);
  replace_module(*root, {}, loader, nullptr);
  return root;
}

}  // namespace graft
