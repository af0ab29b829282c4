#pragma once

#include <c10/core/ScalarType.h>

#include "core/base/dtype.h"

namespace graft {

/// LibTorch's name of a type; throws UNSUPPORTED for those it lacks (int4).
at::ScalarType torch_dtype(DType dtype);

/// Graft's name of a LibTorch type; throws UNSUPPORTED for those kernels do not know.
DType dtype_of(at::ScalarType type);

}  // namespace graft
