// Rotary position embedding (Su et al. 2021) in two ops: the angles once per step, their use once per layer.
#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

/// cosine[t, i] = cos(positions[t] * f_i) * attention_factor for t < *rows and i < pairs (sine likewise), phases in
/// float32 as Transformers computes them. f_i is chosen per sequence by its planned total length, so that keys already
/// in the cache stay valid while the sequence grows:
///   inverse_frequency[i]; or long_inverse_frequency[i] when the length exceeds long_threshold (longrope); or, with
///   dynamic_factor > 0 and length > long_threshold, 1 / base^(2i/rotary_dim) for the grown base
///   base * (factor * length / long_threshold - (factor - 1)) ^ (rotary_dim / (rotary_dim - 2))   (dynamic NTK).
struct RotaryTableArgs {
  const int32_t* rows;
  int64_t capacity = 0;      ///< the most rows that a step can have, where that is known: no more blocks than it needs
  const int32_t* positions;  ///< [capacity]
  const int32_t* sequence_of;           ///< [capacity]: which sequence a token belongs to
  const int32_t* planned_lengths;       ///< [sequences]
  int32_t pairs;                        ///< rotary_dim / 2
  const float* inverse_frequency;       ///< [pairs]
  const float* long_inverse_frequency;  ///< [pairs] or null
  int64_t long_threshold;
  float dynamic_base;
  float dynamic_factor;  ///< 0: not dynamic
  float attention_factor;
  float long_attention_factor;
  float* cosine;  ///< [capacity, pairs]
  float* sine;    ///< [capacity, pairs]
};

/// Where the keys and values of one layer live. Block b holds block_size tokens of every KV head:
/// element (b, head, offset, i) is at ((b * kv_heads + head) * block_size + offset) * head_dim + i.
struct PagedCache {
  void* key;
  void* value;
  DType dtype;  ///< float32, bfloat16 or float16
  int32_t block_size;
  int32_t kv_heads;
  int32_t head_dim;
};

/// Prepares the fused projection output for attention, for t < *rows: normalises queries and keys (when weights are
/// given), rotates their first rotary_dim lanes, and writes key and value to slot slots[t] (block * block_size +
/// offset; negative: not written). Queries stay in place. Row layout: heads*d query, kv_heads*d key, kv_heads*d value.
struct RotaryCacheArgs {
  const int32_t* rows;
  int64_t capacity = 0;  ///< the most rows that a step can have, where that is known: no more blocks than it needs
  float* qkv;            ///< [capacity, (heads + 2 * kv_heads) * head_dim] with qkv_stride elements from row to row
  int64_t qkv_stride;
  int32_t heads;
  const void* query_norm;  ///< RMS norm weight [head_dim], or [heads * head_dim] when norm_whole; null: none
  const void* key_norm;
  DType norm_dtype;
  float norm_epsilon;
  float norm_weight_offset;
  bool norm_whole;      ///< over the whole projection instead of per head
  const float* cosine;  ///< [capacity, rotary_dim / 2], or null: no rotation
  const float* sine;
  int32_t rotary_dim;
  bool interleaved;      ///< pairs (2i, 2i+1) instead of (i, i + rotary_dim/2)
  const int32_t* slots;  ///< [capacity]
  PagedCache cache;
};

}  // namespace graft::kernels
