#include "core/model/torch_dtype.h"

#include "core/base/status.h"

namespace graft {

at::ScalarType torch_dtype(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return at::kFloat;
    case DType::bfloat16:
      return at::kBFloat16;
    case DType::float16:
      return at::kHalf;
    case DType::int8:
      return at::kChar;
    case DType::int32:
      return at::kInt;
    case DType::int64:
      return at::kLong;
    case DType::uint8:
      return at::kByte;
    case DType::boolean:
      return at::kBool;
    case DType::float64:
      return at::kDouble;
    case DType::int4:
      break;
  }
  fail(StatusCode::unsupported, "dtype {} has no LibTorch counterpart", name_of(dtype));
}

DType dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return DType::float32;
    case at::kBFloat16:
      return DType::bfloat16;
    case at::kHalf:
      return DType::float16;
    case at::kChar:
      return DType::int8;
    case at::kInt:
      return DType::int32;
    case at::kLong:
      return DType::int64;
    case at::kByte:
      return DType::uint8;
    case at::kBool:
      return DType::boolean;
    case at::kDouble:
      return DType::float64;
    default:
      break;
  }
  fail(StatusCode::unsupported, "LibTorch type {} is not used by Graft", static_cast<int>(type));
}

}  // namespace graft
