// A policy knows one architecture family: how its config.json reads, what its modules are called and in which order
// they stand. One file per family in this folder, each with exactly one `extern const Policy policy_<file stem>;` in
// namespace graft; the build makes the table from the files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft {

struct Policy {
  const char* name;                ///< "qwen3"
  const char* const* model_types;  ///< `model_type`s it answers to, ended by null
  const char* layer_class;         ///< class of its decoder layers, "Qwen3DecoderLayer"
  /// Reads config.json (or its text half) and states the model. Throws CORRUPT_DATA or INVALID_ARGUMENT naming the key,
  /// UNSUPPORTED for a feature of the architecture that is not done.
  Blueprint (*describe)(const JsonObject& config);
};

/// Every policy that was built, by name. Defined by the generated table.
std::span<const Policy* const> policies();

/// A checkpoint's configuration with its policy found.
struct PolicyMatch {
  std::string name;                ///< of the policy, or of the architecture that the user gave
  const Policy* policy = nullptr;  ///< null: the user's
  Blueprint blueprint;
};

/// Finds the policy of config.json's `model_type` (or that of its `text_config`, for the text half of multimodal
/// checkpoints) and describes the model, with the defaults of generation_config.json joined in. `given` are texts of
/// architectures (core/policies/json), asked before the policies that were built, the first of them first.
/// Throws UNSUPPORTED naming the model_type and the known ones, and what JsonPolicy throws.
PolicyMatch match_policy(const JsonObject& config, const JsonObject& generation_config,
                         std::span<const std::string> given = {});

}  // namespace graft
