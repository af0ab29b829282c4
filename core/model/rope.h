// Rotary frequencies, as pure functions of the configuration.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/config.h"

namespace graft {

/// What a rotary_table kernel needs (kernels/spec/rotary.h). `long_*` is used for sequences whose planned length
/// exceeds `long_threshold`; empty when the kind has one table.
struct RopeTables {
  std::vector<float> inverse_frequency;       ///< [rotary_dim / 2]
  std::vector<float> long_inverse_frequency;  ///< [rotary_dim / 2] or empty
  int64_t long_threshold = 0;
  float dynamic_base = 0.0f;
  float dynamic_factor = 0.0f;  ///< 0: not dynamic
  float attention_factor = 1.0f;
  float long_attention_factor = 1.0f;
};

/// Frequencies of every rope type: standard (Su et al. 2021), linear, dynamic NTK, YaRN (Peng et al. 2023), LongRoPE
/// (Ding et al. 2024) and Llama 3, in the float32 arithmetic of Transformers' modeling_rope_utils.
/// Throws INVALID_ARGUMENT when the configuration contradicts itself (odd rotary_dim, factor lists of another length).
RopeTables make_rope_tables(const RopeConfig& config);

}  // namespace graft
