// Element types that kernels read and write. The numbers are part of the C ABI (graft/tensor.h).
#pragma once

#include <cstdint>

namespace graft::kernels {

enum class DType : int32_t {
  float32 = 1,
  bfloat16 = 2,
  float16 = 3,
  int8 = 4,
  int4 = 5,
  int32 = 6,
  int64 = 7,
  uint8 = 8,
  boolean = 9,
  float64 = 10,
};

}  // namespace graft::kernels
