// The ways to run a case: injection, ranks, replay, device. Every family runs in all of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::conformance {

struct Cell {
  std::string injection;  ///< "kernel", "none", "auto"; "policy": a user's row-parallel linears
  int64_t ranks = 1;
  bool graph = true;
  std::string layer_class;  ///< of "policy"
  std::vector<std::string> names;
  bool cuda = false;  ///< on a CUDA device, or on what stands in for one (support/device.h)

  /// "kernel_tp2_nograph": the second half of a suite's name, which scripts/status-table reads.
  std::string name() const {
    return injection + (cuda ? "_cuda" : "") + (ranks > 1 ? "_tp" + std::to_string(ranks) : "") +
           (graph ? "" : "_nograph");
  }
  friend bool operator==(const Cell&, const Cell&) = default;
};

/// Query heads as config.json (or its text half) states them, whatever the family calls them.
inline int64_t heads_of(const nlohmann::json& config) {
  if (config.contains("text_config")) return heads_of(config.at("text_config"));
  for (const char* key : {"num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"}) {
    if (config.contains(key)) return config.at(key);
  }
  return 1;
}

/// Those that the case can run in: there are no more ranks than query heads.
inline std::vector<Cell> cells_of(const std::filesystem::path& directory) {
  std::ifstream file(directory / "config.json");
  const auto config = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  const int64_t heads = config.is_object() ? heads_of(config) : 1;
  const std::string type = config.is_object() ? config.value("model_type", "") : "";
  std::vector<Cell> cells = {{"none", 1, true, "", {}}};
  for (int64_t ranks = 1; ranks <= 3 && ranks <= heads; ++ranks) {
    cells.push_back({"kernel", ranks, true, "", {}});
    cells.push_back({"kernel", ranks, false, "", {}});
    if (ranks < 3) cells.push_back({"kernel", ranks, true, "", {}, /*cuda=*/true});
    if (ranks == 1) cells.push_back({"kernel", ranks, false, "", {}, /*cuda=*/true});
    if (ranks > 1) cells.push_back({"auto", ranks, true, "", {}});
    if (ranks > 2) continue;
    if (type == "bert") cells.push_back({"policy", ranks, true, "BertLayer", {"output.dense"}});
    if (type == "gpt_neo") {
      cells.push_back({"policy", ranks, true, "GPTNeoBlock", {"attention.out_proj", "mlp.c_proj"}});
    }
  }
  return cells;
}

}  // namespace graft::conformance
