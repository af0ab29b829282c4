// Working memory of a fused step: the buffers that every layer writes and the next one reads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/containers/arena.h"
#include "core/model/config.h"
#include "core/model/rope.h"

namespace graft {

/// Largest widths over the layers, which the shared buffers must hold.
struct ActivationWidths {
  int64_t hidden = 0;
  int64_t query_key_value = 0;
  int64_t attention = 0;     ///< heads * head_dim
  int64_t feed_forward = 0;  ///< output of gate and up together
  int64_t intermediate = 0;

  explicit ActivationWidths(const ModelConfig& config);
};

/// The residual stream and the contribution that waits to be added to it: this rank's share of a sum, which the next
/// norm adds up and adds, the bias after it.
struct Activations {
  float* residual = nullptr;         ///< [capacity, hidden]
  float* delta = nullptr;            ///< [capacity, hidden] or null: nothing waits
  const void* delta_bias = nullptr;  ///< [hidden] or null
  DType delta_bias_dtype = DType::float32;

  float* normed = nullptr;           ///< [capacity, hidden]
  float* query_key_value = nullptr;  ///< [capacity, widths.query_key_value]
  float* attention = nullptr;        ///< [capacity, widths.attention]
  float* feed_forward = nullptr;     ///< [capacity, widths.feed_forward]
  float* intermediate = nullptr;     ///< [capacity, widths.intermediate]
  float* contribution = nullptr;     ///< [capacity, hidden]: where deltas are written
  std::vector<float*> cosine;        ///< per rope: [capacity, rotary_dim / 2]
  std::vector<float*> sine;
  std::vector<int32_t> rotary_dims;  ///< per rope
  std::vector<bool> interleaved;     ///< per rope

  Activations() = default;
  Activations(Arena& arena, const ActivationWidths& widths, const ModelConfig& config, int64_t capacity);
};

}  // namespace graft
