// DeepSpeed's AutoTP scan: which linears of a model are row-parallel, from names, classes and their order alone.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/autotp/scanned_tree.h"

namespace graft {

/// What a layer class's row-parallel linears are called: "<parent>.<name>" ("self_attn.o_proj"), a direct child of the
/// layer ".<name>". One name may stand for several linears of a layer (BERT's "output.dense").
struct LayerPlan {
  std::string layer_class;
  std::set<std::string> row_parallel;
};

/// The text by which DeepSpeed knows the model ("Llama"), from the printed model; empty: there is none.
std::string model_key(std::string_view printed);

/// The plan, one entry for each layer class in the order of the scan. `printed`: the model as Transformers prints it.
/// Fails with `unsupported` for models that the scan is known to read wrongly (names the key), for ones without a key
/// and where nothing is found; the messages list linears that were not classified. `limit_exceeded`: nested too deep.
std::vector<LayerPlan> tp_parser(const ScannedModule& root, std::string_view printed);
/// The same over print_scanned(root).
std::vector<LayerPlan> tp_parser(const ScannedModule& root);

}  // namespace graft
