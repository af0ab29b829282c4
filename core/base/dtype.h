// Element types: names, sizes and conversions on the host.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/spec/dtype.h"

namespace graft {

using kernels::DType;

/// Bits of one element (int4: 4).
int64_t bits_of(DType dtype);

/// "float32", "bfloat16", ...
std::string_view name_of(DType dtype);

/// The type named so ("float32", "bfloat16", "float16", "int8", "int4"); throws INVALID_ARGUMENT with the known names.
DType dtype_from_name(std::string_view name);

}  // namespace graft
