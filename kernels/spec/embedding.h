#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

/// out[t] = table[ids[t]] * scale (+ type_table[types[t]]) (+ position_table[positions[t] + position_offset]), for
/// t < *rows. The host has checked that ids, types and positions are inside their tables.
struct EmbeddingArgs {
  const int32_t* rows;   ///< number of tokens of this step, read when the kernel runs
  int64_t capacity = 0;  ///< the most rows that a step can have, where that is known: no more blocks than it needs
  const int32_t* ids;    ///< [capacity]
  const void* table;     ///< [vocabulary, width] of `dtype`
  DType dtype;           ///< float32, bfloat16 or float16
  int64_t width;
  float scale;                 ///< 1, or sqrt(hidden) for the families that scale embeddings
  const int32_t* positions;    ///< [capacity]; used with position_table only
  const void* position_table;  ///< [positions, width] of `position_dtype`, or null
  DType position_dtype;
  int64_t position_offset;  ///< OPT and RoBERTa start their table later than 0
  const int32_t* types;     ///< [capacity]; used with type_table only
  const void* type_table;   ///< [types, width] of `type_dtype`, or null
  DType type_dtype;
  float* out;  ///< [capacity, width]
};

}  // namespace graft::kernels
