#pragma once

#include <cstdint>

namespace graft::kernels {

/// What experts made of a row, summed up. For r < *rows:
///   out[r, :] = base[r, :] * sigmoid(base_gate[r]) + sum over s < top_k, in this order, of
///               weights[r, s] * x[positions[r, s], :]
/// What has a negative position is left out (its expert is on another rank); base is 0 and its factor 1 where they
/// are null. base: the shared experts' output (DeepSeek-V3, Llama 4), with a gate in Qwen2-MoE; or `out` itself.
struct CombineExpertsArgs {
  const int32_t* rows;
  int64_t capacity;  ///< the most rows that a step can have
  int32_t top_k;     ///< experts of a row
  int64_t width;
  const int32_t* positions;  ///< [capacity, top_k], of route_experts
  const float* weights;      ///< [capacity, top_k] or null for ones
  const float* x;            ///< [capacity * top_k, width] with x_stride elements from position to position
  int64_t x_stride;
  const float* base;       ///< [capacity, width] with out_stride elements from row to row, or null; may be `out`
  const float* base_gate;  ///< [capacity] logits or null
  float* out;              ///< [capacity, width] with out_stride elements from row to row
  int64_t out_stride;
};

}  // namespace graft::kernels
