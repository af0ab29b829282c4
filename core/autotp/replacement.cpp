#include "core/autotp/replacement.h"

#include <algorithm>
#include <array>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

constexpr std::array<std::string_view, 5> fused_names = {"qkv_proj", "query_key_value", "attn.Wqkv", "self_attn.W_pack",
                                                         "c_attn"};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Why a linear stays whole on every rank; empty: it does not.
std::string why_whole(const ScannedModule& layer, std::string_view name, ModuleKind kind) {
  if (kind == ModuleKind::conv1d && layer.class_name != "GPT2Block") return "a Conv1D, known in GPT2Block only";
  if (name == "mlp.gate" || name == "block_sparse_moe.gate") return "every rank routes all tokens";
  if (name == "mlp.shared_expert_gate" && contains(layer.class_name, "Qwen2Moe")) return "every rank gates all tokens";
  if (contains(name, "q_a_proj") || contains(name, "kv_a_proj_with_mqa"))
    return "low-rank states are shared by all heads";
  return "";
}

/// `printed`: the layer.
LinearReplacement decide(const ScannedModule& layer, const std::string& printed,
                         const std::set<std::string>& row_parallel, const std::string& name, ModuleKind kind) {
  LinearReplacement made;
  made.path = made.name = name;
  made.conv1d = kind == ModuleKind::conv1d;
  if (contains(printed, "Yuan")) {
    fail(StatusCode::unsupported,
         "AutoTP cannot split {} of {}: Yuan pairs query and value heads across ranks, which is not done here",
         quote(name), quote(layer.class_name));
  }
  made.why = why_whole(layer, name, kind);
  if (!made.why.empty()) return made;
  if (contains(name, "gate_up_proj") || (contains(name, "dense_h_to_4h") && contains(layer.class_name, "GLM"))) {
    made.kind = ReplacementKind::packed_column;
  } else if (row_parallel.count(name) != 0 || (contains(name, "w2") && contains(printed, "Arctic")) ||
             contains(name, "down_proj")) {
    // "down_proj anywhere": layers may differ from the one that was scanned (dense first layers of MoE models)
    made.kind = name == "lm_head" || name == "embed_out" ? ReplacementKind::head_row : ReplacementKind::row;
  } else if (std::any_of(fused_names.begin(), fused_names.end(), [&](auto part) { return contains(name, part); })) {
    made.kind = ReplacementKind::fused_column;
    // DeepSpeed's table lacks GPT2Block, whose rows are thirds
    made.fused = made.conv1d ? FusedLayout{FusedType::glm, ""} : shard_by_type(printed);
  } else {
    made.kind = ReplacementKind::column;
  }
  return made;
}

struct Walk {
  const ScannedModule& layer;
  const std::string printed;
  const std::set<std::string>& row_parallel;
  std::vector<LinearReplacement> made;

  void visit(const ScannedModule& module, const std::string& parent, const std::string& path) {
    for (const ScannedModule& child : module.children) {
      const std::string full = path.empty() ? child.name : path + "." + child.name;
      const std::string name = parent + "." + child.name;
      if (child.kind == ModuleKind::linear || child.kind == ModuleKind::conv1d) {
        made.push_back(decide(layer, printed, row_parallel, name, child.kind));
        made.back().path = full;
      } else if (child.kind == ModuleKind::embedding) {
        made.push_back({full, name, ReplacementKind::embedding, false, {}, ""});
      } else {
        visit(child, child.name, full);  // no deeper than what was printed
      }
    }
  }
};

const ScannedModule* child_of(const ScannedModule* module, std::string_view name) {
  if (module == nullptr) return nullptr;
  for (const ScannedModule& child : module->children) {
    if (child.name == name) return &child;
  }
  return nullptr;
}

}  // namespace

LinearReplacement replace_linear(const ScannedModule& layer, const std::set<std::string>& row_parallel,
                                 const std::string& name, ModuleKind kind) {
  return decide(layer, print_scanned(layer), row_parallel, name, kind);
}

std::vector<LinearReplacement> replace_layer(const ScannedModule& layer, const std::set<std::string>& row_parallel) {
  Walk walk{layer, print_scanned(layer), row_parallel, {}};
  walk.visit(layer, "", "");
  return std::move(walk.made);
}

std::vector<LinearReplacement> replace_head(const ScannedModule& root) {
  const ScannedModule* language = child_of(&root, "language_model");
  const std::array<std::pair<const char*, const ScannedModule*>, 3> heads = {{
      {"lm_head", child_of(&root, "lm_head")},
      {"embed_out", child_of(&root, "embed_out")},
      {"language_model.lm_head", child_of(language, "lm_head")},
  }};
  for (const auto& [path, module] : heads) {
    if (module == nullptr || module->kind != ModuleKind::linear) continue;
    return {{path, module->name, ReplacementKind::head_row, false, {}, ""}};
  }
  return {};
}

}  // namespace graft
