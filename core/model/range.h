#pragma once

#include <cstdint>

namespace graft {

/// first, first + 1, ... first + count - 1.
struct Range {
  int64_t first = 0;
  int64_t count = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace graft
