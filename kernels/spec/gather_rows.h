#pragma once

#include <cstdint>

namespace graft::kernels {

/// out[r] = x[indices[r]] for r < *rows: the rows whose logits are wanted.
struct GatherRowsArgs {
  const int32_t* rows;
  int64_t capacity = 0;    ///< the most rows that a step can have, where that is known: no more blocks than it needs
  const int32_t* indices;  ///< [capacity]
  int64_t width;
  const float* x;
  float* out;
};

}  // namespace graft::kernels
