#include "core/base/dtype.h"

#include <array>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

struct Info {
  DType dtype;
  std::string_view name;
  int64_t bits;
};

constexpr std::array<Info, 10> infos = {{
    {DType::float32, "float32", 32},
    {DType::bfloat16, "bfloat16", 16},
    {DType::float16, "float16", 16},
    {DType::int8, "int8", 8},
    {DType::int4, "int4", 4},
    {DType::int32, "int32", 32},
    {DType::int64, "int64", 64},
    {DType::uint8, "uint8", 8},
    {DType::boolean, "boolean", 8},
    {DType::float64, "float64", 64},
}};

/// The first five are the types that weights can be asked for in.
constexpr size_t nameable = 5;

const Info& info_of(DType dtype) {
  for (const Info& info : infos) {
    if (info.dtype == dtype) return info;
  }
  fail(StatusCode::invalid_argument, "dtype: found number {}, expected a known element type (1 to {})",
       static_cast<int32_t>(dtype), infos.size());
}

}  // namespace

int64_t bits_of(DType dtype) { return info_of(dtype).bits; }

std::string_view name_of(DType dtype) { return info_of(dtype).name; }

DType dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < nameable; ++i) {
    if (infos[i].name == name) return infos[i].dtype;
  }
  fail(StatusCode::invalid_argument, "dtype: found {}, expected float32, bfloat16, float16, int8 or int4", quote(name));
}

}  // namespace graft
