// What tests of engines share: where the cases are, a plan's tree, and what was read for it.
#pragma once

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "core/engine/model_plan.h"
#include "core/injection/replace_module.h"

namespace graft {

inline std::string case_path(const std::string& name) {
  const char* cases = std::getenv("GRAFT_TEST_CASES");
  return std::string(cases != nullptr ? cases : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

/// Bytes that this process has asked read calls for.
inline int64_t bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string name;
  int64_t value = 0;
  while (file >> name >> value) {
    if (name == "rchar:") return value;
  }
  return -1;
}

/// The module tree of a plan with all its parameters, nothing replaced.
inline std::unique_ptr<Module> load_tree(const ModelPlan& plan, DType dtype) {
  std::unique_ptr<Module> root = build_tree(plan.share);
  ModelLoader loader(plan.weights, dtype, /*copy=*/false, nullptr);
  replace_module(*root, {}, loader, nullptr);
  return root;
}

}  // namespace graft
