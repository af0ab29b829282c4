#pragma once

#include <cstdint>

namespace graft::kernels {

/// out[r] = x[indices[r]] for r < *rows: the rows whose logits are wanted.
struct GatherRowsArgs {
  const int32_t* rows;
  const int32_t* indices;  ///< [capacity]
  int64_t width;
  const float* x;
  float* out;
};

}  // namespace graft::kernels
