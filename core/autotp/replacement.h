// What AutoTP makes of every linear of a layer, given the names of its row-parallel ones.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/autotp/fused_layout.h"
#include "core/autotp/scanned_tree.h"

namespace graft {

enum class ReplacementKind : int32_t {
  replicated,
  column,         ///< output features split
  fused_column,   ///< output features split head by head, see LinearReplacement::fused
  packed_column,  ///< gate above up in one matrix: output features of each half split
  row,            ///< input features split, outputs summed over the ranks, bias added after that
  head_row,       ///< row, over a slice of the replicated hidden rows: every rank gets all logits
  embedding,      ///< nn.Embedding: its columns split
};

struct LinearReplacement {
  std::string path;  ///< inside of the layer ("mlp.experts.0.w1")
  std::string name;  ///< what rules and plans compare: "<parent>.<name>", of direct children ".<name>"
  ReplacementKind kind = ReplacementKind::replicated;
  bool conv1d = false;  ///< the weight is stored [in, out]
  FusedLayout fused;    ///< of fused_column
  std::string why;      ///< of replicated
};

/// What becomes of one linear or Conv1D called `name` of a layer. Fails with `unsupported` for Yuan layers.
LinearReplacement replace_linear(const ScannedModule& layer, const std::set<std::string>& row_parallel,
                                 const std::string& name, ModuleKind kind);

/// Every linear, Conv1D and embedding of the layer in order. Fails as replace_linear(), with `limit_exceeded` for
/// layers nested too deep.
std::vector<LinearReplacement> replace_layer(const ScannedModule& layer, const std::set<std::string>& row_parallel);

/// The model's nn.Linear lm_head, embed_out or language_model.lm_head (the first of them), which becomes head_row; its
/// path is in the model. Empty: there is none.
std::vector<LinearReplacement> replace_head(const ScannedModule& root);

}  // namespace graft
