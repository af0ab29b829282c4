// What a caller asks of weight quantisation.
#pragma once

#include <algorithm>
#include <cstdint>

namespace graft {

/// Of the linear weights of a model's layers. Embeddings, norms, biases and the head stay in a float type.
struct Quantization {
  int64_t bits = 0;        ///< 8 or 4; 0: none
  int64_t group_size = 0;  ///< weights along a row that share one scale; 0: the whole row

  /// Weights of a group in a row of `width`; at least 1.
  int64_t group_of(int64_t width) const {
    const int64_t whole = std::max<int64_t>(1, width);
    return group_size > 0 ? std::min(group_size, whole) : whole;
  }

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

}  // namespace graft
