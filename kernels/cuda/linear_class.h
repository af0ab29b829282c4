// What the variants of linear ask to share out their arguments.
#pragma once

#include "kernels/cuda/linear_plan.h"
#include "kernels/cuda/matmul.h"

namespace graft::kernels::cuda {

/// Whether `args`, of LinearArgs, are of this class in this process.
inline bool is_linear_class(const void* args, LinearClass expected) {
  return linear_class(*static_cast<const LinearArgs*>(args), has_matmul()) == expected;
}

}  // namespace graft::kernels::cuda
