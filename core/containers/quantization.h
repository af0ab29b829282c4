// How weights are quantised while they are loaded.
#pragma once

#include <cstdint>

namespace graft {

struct Quantization {
  int64_t bits = 0;        ///< 0: none, else 4 or 8
  int64_t group_size = 0;  ///< values along the input dimension that share a scale; 0: the format's default
};

}  // namespace graft
