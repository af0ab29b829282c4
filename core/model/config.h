// What differs between architectures, as fields. Filled by a policy from config.json; nothing below asks for a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "kernels/spec/activation.h"
#include "kernels/spec/residual_norm.h"

namespace graft {

using kernels::Activation;
using kernels::NormKind;

enum class RopeKind : int32_t { standard, linear, dynamic, yarn, longrope, llama3 };

/// Rotary embedding of a group of layers, as `rope_parameters` states it (both spellings are read by
/// core/policies/rope).
struct RopeConfig {
  RopeKind kind = RopeKind::standard;
  double theta = 10000.0;
  int64_t rotary_dim = 0;  ///< lanes of a head that are rotated; even
  bool interleaved = false;
  double factor = 1.0;
  int64_t max_positions = 0;               ///< max_position_embeddings
  int64_t original_max_positions = 0;      ///< before the context was extended
  double low_frequency_factor = 1.0;       ///< llama3
  double high_frequency_factor = 4.0;      ///< llama3
  double beta_fast = 32.0;                 ///< yarn
  double beta_slow = 1.0;                  ///< yarn
  double mscale = 0.0;                     ///< yarn; 0: absent
  double mscale_all_dim = 0.0;             ///< yarn; 0: absent
  bool truncate = true;                    ///< yarn
  std::optional<double> attention_factor;  ///< yarn and longrope; absent: derived from factor
  std::vector<double> short_factor;        ///< longrope, rotary_dim / 2 entries
  std::vector<double> long_factor;
};

struct NormConfig {
  NormKind kind = NormKind::rms;
  double epsilon = 1e-6;
  double weight_offset = 0.0;  ///< 1 for families that store weight - 1
};

struct AttentionConfig {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  double scale = 1.0;  ///< multiplies query . key
  bool causal = true;
  int64_t window = 0;  ///< keys seen by a query, itself included; 0: all
  double softcap = 0.0;
  int32_t rope = -1;                  ///< index into ModelConfig::ropes; -1: no rotation
  bool query_key_norm = false;        ///< RMS norm of queries and keys before rotation
  bool query_key_norm_whole = false;  ///< over the whole projection instead of per head
  std::vector<float> alibi_slopes;    ///< per query head: slope * (key position - query position) joins the scores
  double rounded_alibi = 0.0;  ///< above 0: the bias is this * bfloat16(slope * bfloat16(key position)), as Falcon's is
};

/// Feed-forward block: down(act(gate(x)) * up(x)) when gated, down(act(up(x))) otherwise.
struct FeedForwardConfig {
  int64_t intermediate_size = 0;
  Activation activation = Activation::silu;
  bool gated = true;
};

/// Where a layer's norms stand.
enum class ResidualForm : int32_t {
  pre_norm,   ///< x += attention(norm(x)); x += feed_forward(norm(x))
  post_norm,  ///< x = norm(x + attention(x)); x = norm(x + feed_forward(x))
  parallel,  ///< x += attention(norm(x)) + feed_forward(norm2(x)); without a feed-forward norm both read the input norm
};

/// One decoder or encoder layer.
struct LayerConfig {
  ResidualForm residual = ResidualForm::pre_norm;
  NormConfig norm;
  AttentionConfig attention;
  FeedForwardConfig feed_forward;
};

/// Sampling defaults and ends of text, from generation_config.json where config.json does not say.
struct GenerationDefaults {
  std::vector<int64_t> eos_tokens;
  std::optional<int64_t> bos_token;
  std::optional<int64_t> pad_token;
  std::optional<bool> sample;
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
};

/// What the class puts on the base model. Every kind but `none` has rows `output_width` wide.
enum class HeadKind : int32_t {
  none,             ///< the base model alone: hidden rows, no logits
  language,         ///< one column per token of the vocabulary
  sequence_labels,  ///< one row per sequence, from its first token
  token_labels,     ///< one row per token
  embedding,        ///< one row per sequence, from its first token: the model's own embedding, which is no logits
};

/// rows -> norm(activation(dense(rows))) -> linear, the first parts where stated. An embedding may end without linear.
struct HeadConfig {
  HeadKind kind = HeadKind::language;
  bool dense = false;
  Activation dense_activation = Activation::tanh;
  bool normed = false;
  NormConfig norm;                  ///< where normed
  std::vector<std::string> labels;  ///< of the label kinds, in the order of the columns
  bool multi_label = false;         ///< labels do not exclude each other: a sigmoid each instead of one softmax
};

/// An image as a sequence: one class row, then its patches row by row. As token ids, 0 is the class row and 1 a patch.
struct ImageConfig {
  int64_t channels = 0;
  int64_t size = 0;   ///< pixels of both edges
  int64_t patch = 0;  ///< pixels of both edges of a patch; what is left over at the right and at the bottom is not read

  int64_t patches() const { return (size / patch) * (size / patch); }
  int64_t patch_values() const { return channels * patch * patch; }
};

struct ModelConfig {
  std::string model_type;    ///< "llama"
  std::string architecture;  ///< "LlamaForCausalLM"
  int64_t hidden_size = 0;
  int64_t vocabulary = 0;
  bool encoder = false;                      ///< gives hidden rows of a text that is whole in one step, never generates
  int64_t max_positions = 0;                 ///< longest context the model was made for
  std::optional<ImageConfig> image;          ///< takes pixels in place of tokens; vocabulary is 2 then
  int64_t embedding_width = 0;               ///< of the token embedding where it is projected to hidden_size; 0: that
  int64_t position_table = 0;                ///< rows of a learned position embedding; 0: none
  int64_t position_offset = 0;               ///< row of the first token's position; longest input: position_table - it
  int64_t unplaced_token = -1;               ///< token without a position of its own (StepTraits); -1: none
  int64_t token_types = 0;                   ///< rows of a token type embedding; 0: none
  std::optional<NormConfig> embedding_norm;  ///< over the sum of the embeddings
  double embedding_scale = 1.0;
  bool tied_head = false;
  std::optional<NormConfig> final_norm;
  std::vector<RopeConfig> ropes;
  std::vector<LayerConfig> layers;
  std::optional<DType> stored_dtype;  ///< `dtype` / `torch_dtype` of config.json
  GenerationDefaults generation;
  HeadConfig head;
  /// Embeddings are the row of this token's first place, where the model's files name no other pooling.
  std::optional<int64_t> pooled_token;
  static constexpr int64_t highest_token = -1;  ///< as pooled_token: the token with the highest number
  int64_t output_width = 0;                     ///< columns of the head: vocabulary, labels, or an embedding's; or 0

  /// Columns of a hidden row as the model gives it out.
  int64_t hidden_width() const { return embedding_width > 0 ? embedding_width : hidden_size; }
};

}  // namespace graft
