// How a row is dealt to the threads of a block that normalises it. Pure functions of the width.
#pragma once

#include <cstdint>

namespace graft::kernels::cuda {

struct NormPlan {
  int32_t threads;
  int32_t quads;  ///< groups of four elements that a thread keeps in registers: 1, 2 or 4; 0: the row is read again
};

/// As many threads as a row has groups of four, so that one row is over quickly; wider rows are kept in more registers.
inline NormPlan norm_plan(int64_t width, bool has_quads) {
  const int64_t pieces = has_quads ? width / 4 : width;
  const int64_t wanted = (pieces + 31) / 32 * 32;
  const int32_t threads = static_cast<int32_t>(wanted < 32 ? 32 : wanted > 1024 ? 1024 : wanted);
  if (!has_quads) return {threads, 0};
  const int64_t each = (pieces + threads - 1) / threads;
  return {threads, each <= 1 ? 1 : each <= 2 ? 2 : each <= 4 ? 4 : 0};
}

}  // namespace graft::kernels::cuda
