// The decoder that Llama made common: RMS norms before attention and a gated feed-forward block, grouped heads, rotary
// embedding. Families that differ in fields alone state those fields and share the tree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"
#include "core/policies/support/rope_config.h"

namespace graft {

struct GatedDecoder {
  std::string prefix;  ///< of the class names: "Llama"
  bool query_key_value_bias = false;
  bool output_bias = false;
  bool feed_forward_bias = false;
  bool query_key_norm = false;   ///< RMS norm per head, before rotation
  int64_t default_head_dim = 0;  ///< the class's own default; 0: hidden_size / num_attention_heads
  int64_t default_kv_heads = 0;  ///< 0: as many as query heads
  std::string default_activation = "silu";
  std::optional<Activation> activation;  ///< instead of what `hidden_act` says
  std::string activation_class;          ///< of `activation`
  RopeDefaults rope;
  int64_t default_padding = -1;  ///< the class's own pad_token_id; -1: none
  NormConfig norm;               ///< kind and weight offset; the epsilon is read
  double embedding_scale = 1.0;
  bool tied_by_default = false;
  std::string embedding_class = "Embedding";
  std::vector<int64_t> windows;  ///< per layer; empty: no layer has one
};

/// Reads the common keys of config.json and builds configuration and tree.
Blueprint describe_gated_decoder(const JsonObject& config, const GatedDecoder& family);

}  // namespace graft
