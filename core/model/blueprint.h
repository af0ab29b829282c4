// A model as data: its configuration and its modules in the order and under the names Transformers prints them.
// A policy makes it from config.json; the client model, AutoTP and injection are generic over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/config.h"
#include "core/model/fused_rows.h"
#include "core/model/range.h"

namespace graft {

/// What a module's weights are for. A layer has at most one module of each role.
enum class Role : int32_t {
  none,
  token_embedding,
  patch_embedding,  ///< convolution over patches of an image that do not overlap: a linear of a patch's values
  class_embedding,  ///< the row before an image's patches
  position_embedding,
  token_type_embedding,
  project_in,  ///< token embedding -> hidden_size, before positions are added
  embedding_norm,
  input_norm,
  query,
  key,
  value,
  query_key_value,  ///< one matrix of all three; ModuleSpec::fused says which rows are whose
  query_norm,
  key_norm,
  attention_output,
  post_attention_norm,  ///< of the post-norm form: over x + attention(x)
  feed_forward_norm,
  post_feed_forward_norm,  ///< of the post-norm form: over x + feed_forward(x)
  gate,
  up,
  gate_up,  ///< one matrix: all of gate, then all of up
  down,
  final_norm,
  project_out,  ///< hidden_size -> width of the token embedding, before the head
  head_dense,
  head_norm,
  head,
};

/// How a linear's weight lies in the checkpoint.
enum class LinearLayout : int32_t {
  out_in,  ///< nn.Linear: [out_features, in_features]
  in_out,  ///< Transformers' Conv1D: [in_features, out_features]
};

/// The part a linear plays in tensor parallelism.
enum class ParallelRole : int32_t { replicated, column, row };

/// The part of a stored tensor that a parameter is: ranges of one dimension, one after another.
struct StoredPart {
  std::vector<int64_t> shape;  ///< of the stored tensor
  int64_t dimension = 0;
  std::vector<Range> ranges;
};

struct ParameterSpec {
  std::string name;                      ///< "weight", "bias"
  std::vector<int64_t> shape;            ///< as the module holds it
  std::vector<std::string> other_names;  ///< full names that it may have in the checkpoint instead of its own
  std::optional<StoredPart> part = {};   ///< absent: the stored tensor is the parameter
};

struct ModuleSpec {
  std::string path;        ///< "model.layers.0.self_attn.q_proj"; "" for the root
  std::string class_name;  ///< "Linear"
  std::string detail;      ///< what Transformers prints in the parentheses
  Role role = Role::none;
  int32_t layer = -1;  ///< the decoder layer it belongs to, -1 outside of layers
  LinearLayout layout = LinearLayout::out_in;
  ParallelRole parallel = ParallelRole::replicated;
  FusedRows fused;  ///< of a query_key_value: rows of the stored weight; empty: all queries, all keys, all values
  std::vector<ParameterSpec> parameters;
};

struct Blueprint {
  ModelConfig config;
  std::vector<ModuleSpec> modules;  ///< depth-first, children in their order
  /// Where the base model's tensors start in the class's own names ("model.", "transformer."). Checkpoints of the bare
  /// base model lack it, multimodal ones have another in its place.
  std::string base_prefix;
  /// For a class that is the base model itself: where its tensors start in checkpoints of the classes around it
  /// ("bert."). Empty: there are none.
  std::string wrapped_prefix;
  bool multimodal = false;  ///< the text half of a checkpoint that holds more
  /// Tensors that may be in a checkpoint and are not needed; '*' stands for any text.
  std::vector<std::string> skipped_tensors;
};

/// Appends modules in order. Paths are relative to the innermost open module.
class BlueprintBuilder {
 public:
  explicit BlueprintBuilder(Blueprint& blueprint) : blueprint_(blueprint) {}

  /// Opens a module that has children; every open needs a close.
  void open(std::string_view name, std::string class_name);
  void close();
  /// Opens the module of decoder layer `index`: what is added until its close belongs to that layer.
  void open_layer(int64_t index, std::string class_name);
  void close_layer();

  /// `padding`: the row that Transformers prints as padding_idx; -1: none.
  void embedding(std::string_view name, Role role, int64_t rows, int64_t width, int64_t padding = -1);
  void linear(std::string_view name, Role role, int64_t in_features, int64_t out_features, bool bias);
  /// Transformers' Conv1D: the weight is [in, out].
  void conv1d(std::string_view name, Role role, int64_t in_features, int64_t out_features);
  void norm(std::string_view name, Role role, std::string class_name, int64_t width, const NormConfig& config);
  /// Another full name for a parameter of the module added last.
  void also_named(std::string_view parameter, std::string full_name);
  /// The module added last lacks this parameter (MPT's layer norms have no bias).
  void without(std::string_view parameter);
  /// The class that Transformers prints for the module added last, where it is its own variant ("FalconLinear").
  void printed_as(std::string class_name);
  /// A module without parameters (activations, dropout, rotary embedding), kept so that the tree prints as expected.
  void plain(std::string_view name, std::string class_name, std::string detail = "");

 private:
  ModuleSpec& add(std::string_view name, std::string class_name, Role role);

  Blueprint& blueprint_;
  std::vector<std::string> open_paths_;
  int32_t layer_ = -1;
};

/// The usual part of a role in tensor parallelism: column for what makes heads or intermediate features, row for what
/// consumes them, replicated otherwise.
ParallelRole default_parallel_role(Role role);

}  // namespace graft
