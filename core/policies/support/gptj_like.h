// GPT-J's decoder: attention and feed-forward block side by side behind one norm, neighbouring lanes rotated in the
// first `rotary_dim` of every head, a head with a bias.
#pragma once

#include <string>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft {

struct GptjLike {
  std::string prefix;  ///< of the class names: "GPTJ"
  bool fused = false;  ///< query, key and value in one matrix, in CodeGen's four blocks of heads
};

/// Reads config.json and builds configuration and tree.
Blueprint describe_gptj_like(const JsonObject& config, const GptjLike& family);

}  // namespace graft
