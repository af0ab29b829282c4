#include "core/base/dtype.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/status.h"

namespace graft {
namespace {

TEST(DTypeTest, SizesAndNames) {
  EXPECT_EQ(bits_of(DType::float32), 32);
  EXPECT_EQ(bits_of(DType::bfloat16), 16);
  EXPECT_EQ(bits_of(DType::int4), 4);
  EXPECT_EQ(bits_of(DType::boolean), 8);
  EXPECT_EQ(bits_of(DType::float64), 64);
  EXPECT_EQ(name_of(DType::uint8), "uint8");
  EXPECT_EQ(name_of(DType::int64), "int64");
}

TEST(DTypeTest, NamesOfWeightTypesRoundTrip) {
  for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16, DType::int8, DType::int4}) {
    EXPECT_EQ(dtype_from_name(name_of(dtype)), dtype);
  }
}

TEST(DTypeTest, UnknownNameIsRefusedWithTheKnownOnes) {
  for (const char* name : {"float", "BF16", "", "int64", "float32 "}) {
    try {
      dtype_from_name(name);
      FAIL() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find("'" + std::string(name) + "'"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("bfloat16"), std::string::npos) << error.what();
    }
  }
}

TEST(DTypeTest, NumbersFromOutsideAreRefused) {
  for (const int32_t number : {-1, 0, 11, 1 << 30}) {
    EXPECT_THROW(bits_of(static_cast<DType>(number)), Error) << number;
    EXPECT_THROW(name_of(static_cast<DType>(number)), Error) << number;
  }
}

}  // namespace
}  // namespace graft
