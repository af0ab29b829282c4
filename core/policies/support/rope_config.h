#pragma once

#include <optional>

#include "core/checkpoint/json.h"
#include "core/model/config.h"

namespace graft {

/// What a family's class says where config.json is silent.
struct RopeDefaults {
  double theta = 10000.0;
  /// Whether the class heeds `partial_rotary_factor` (Llama's rotates whole heads whatever the file says).
  bool reads_partial_rotary = false;
  double partial_rotary_factor = 1.0;
  bool interleaved = false;
  bool yarn_is_longrope = false;       ///< Phi 3's first files say "yarn" and mean "longrope"
  int64_t original_max_positions = 0;  ///< the class's own top-level value; 0: it has none
};

/// Reads both spellings: `rope_parameters` (Transformers 5, flat or nested by layer type) and `rope_scaling` with
/// top-level `rope_theta`; `type` is the old name of `rope_type`. A value inside the dictionary wins over the top
/// level, the top level over the defaults; only `original_max_position_embeddings` at the top level wins over the one
/// inside. `layer_type` picks the dictionary of a nested form ("full_attention").
RopeConfig read_rope(const JsonObject& config, int64_t head_dim, int64_t max_positions, const RopeDefaults& defaults,
                     std::string_view layer_type = "full_attention");

}  // namespace graft
