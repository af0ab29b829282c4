// Integer arithmetic that throws instead of overflowing. Every size that comes from a file or a caller goes through
// here.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "core/base/status.h"

namespace graft {

/// a + b; throws Error(code) naming `what` and both operands when the sum does not fit.
inline int64_t checked_add(int64_t a, int64_t b, std::string_view what, StatusCode code = StatusCode::limit_exceeded) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) fail(code, "{}: {} + {} does not fit 64 bits", what, a, b);
  return sum;
}

/// a * b; throws Error(code) naming `what` and both operands when the product does not fit.
inline int64_t checked_multiply(int64_t a, int64_t b, std::string_view what,
                                StatusCode code = StatusCode::limit_exceeded) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) fail(code, "{}: {} * {} does not fit 64 bits", what, a, b);
  return product;
}

/// Product of the factors (1 for none), which must not be negative. A zero does not hide an overflow of the other
/// factors, since strides are products of the others too.
inline int64_t checked_product(std::span<const int64_t> factors, std::string_view what,
                               StatusCode code = StatusCode::limit_exceeded) {
  int64_t product = 1;
  bool zero = false;
  for (const int64_t factor : factors) {
    if (factor < 0) fail(code, "{}: factor {} is negative", what, factor);
    if (factor == 0) {
      zero = true;
    } else {
      product = checked_multiply(product, factor, what, code);
    }
  }
  return zero ? 0 : product;
}

/// The value as int32_t; throws Error(code) naming `what` when it does not fit.
inline int32_t checked_int32(int64_t value, std::string_view what, StatusCode code = StatusCode::limit_exceeded) {
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    fail(code, "{}: {} does not fit 32 bits", what, value);
  }
  return static_cast<int32_t>(value);
}

}  // namespace graft
