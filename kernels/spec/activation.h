#pragma once

#include <cstdint>

namespace graft::kernels {

enum class Activation : int32_t {
  gelu = 0,       ///< x * Phi(x), with erf
  gelu_tanh = 1,  ///< the tanh approximation ("gelu_new", "gelu_pytorch_tanh")
  relu = 2,
  silu = 3,
  quick_gelu = 4,  ///< x * sigmoid(1.702 x)
  tanh = 5,
};

/// out[r, i] = f(x[r, i]), or f(x[r, i]) * x[r, width + i] when gated (gate first, up second), for r < *rows, i <
/// width.
struct ActivationArgs {
  const int32_t* rows;
  int64_t capacity = 0;  ///< the most rows that a step can have, where that is known: no more blocks than it needs
  int64_t width;
  Activation kind;
  bool gated;
  const float* x;  ///< [capacity, width or 2 * width] with x_stride elements from row to row
  int64_t x_stride;
  float* out;  ///< [capacity, width]; may be x when not gated
  int64_t out_stride;
};

}  // namespace graft::kernels
