// The module trees that tests/oracle/make_trees.py wrote.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/autotp/scanned_tree.h"

namespace graft::test {

/// The kind by what the class is derived from.
inline ModuleKind kind_of_bases(const std::vector<std::string>& bases) {
  const auto is = [&bases](const char* name) { return std::find(bases.begin(), bases.end(), name) != bases.end(); };
  return is("Linear")       ? ModuleKind::linear
         : is("Conv1D")     ? ModuleKind::conv1d
         : is("LayerNorm")  ? ModuleKind::layer_norm
         : is("Embedding")  ? ModuleKind::embedding
         : is("ModuleList") ? ModuleKind::module_list
                            : ModuleKind::other;
}

inline ScannedModule module_of(const nlohmann::json& node) {
  ScannedModule module{node["name"], node["class"], kind_of_bases(node["bases"]), {}};
  for (const nlohmann::json& child : node["children"]) {
    module.children.push_back(module_of(child));
  }
  return module;
}

inline const nlohmann::json& trees() {
  static const nlohmann::json all = [] {
    const char* folder = std::getenv("GRAFT_TEST_TREES");
    if (folder == nullptr) throw std::runtime_error("GRAFT_TEST_TREES is not set: run tests/oracle/make_trees.py");
    std::ifstream file(std::string(folder) + "/trees.json");
    return nlohmann::json::parse(file);
  }();
  return all;
}

inline ScannedModule tree_of(const std::string& name) { return module_of(trees().at(name)["tree"]); }

}  // namespace graft::test
