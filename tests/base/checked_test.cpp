#include "core/base/checked.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace graft {
namespace {

constexpr int64_t largest = std::numeric_limits<int64_t>::max();
constexpr int64_t smallest = std::numeric_limits<int64_t>::min();

void expect_refused(const std::function<void()>& call, StatusCode code) {
  try {
    call();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(std::string(error.what()).find("cache bytes"), 0u) << error.what();
  }
}

TEST(CheckedTest, ResultsThatFit) {
  EXPECT_EQ(checked_add(largest - 1, 1, "x"), largest);
  EXPECT_EQ(checked_add(smallest, largest, "x"), -1);
  EXPECT_EQ(checked_multiply(int64_t{1} << 31, int64_t{1} << 31, "x"), int64_t{1} << 62);
  EXPECT_EQ(checked_multiply(smallest, 1, "x"), smallest);
  EXPECT_EQ(checked_product(std::vector<int64_t>{}, "x"), 1);
  EXPECT_EQ(checked_product(std::vector<int64_t>{3, 5, 7}, "x"), 105);
  EXPECT_EQ(checked_product(std::vector<int64_t>{3, 0, 7}, "x"), 0);
  EXPECT_EQ(checked_int32(-2147483648LL, "x"), std::numeric_limits<int32_t>::min());
}

TEST(CheckedTest, OverflowNamesTheContext) {
  const auto limit = StatusCode::limit_exceeded;
  expect_refused([] { checked_add(largest, 1, "cache bytes"); }, limit);
  expect_refused([] { checked_add(smallest, -1, "cache bytes"); }, limit);
  expect_refused([] { checked_multiply(int64_t{1} << 32, int64_t{1} << 31, "cache bytes"); }, limit);
  expect_refused([] { checked_multiply(smallest, -1, "cache bytes"); }, limit);
  expect_refused([] { checked_int32(2147483648LL, "cache bytes"); }, limit);
  expect_refused([] { checked_multiply(largest, 2, "cache bytes", StatusCode::corrupt_data); },
                 StatusCode::corrupt_data);
}

TEST(CheckedTest, ProductRefusesNegativesAndOverflowBehindAZero) {
  expect_refused([] { checked_product(std::vector<int64_t>{4, -1}, "cache bytes"); }, StatusCode::limit_exceeded);
  expect_refused(
      [] {
        checked_product(std::vector<int64_t>{0, largest, 2}, "cache bytes");
      },
      StatusCode::limit_exceeded);
  expect_refused(
      [] {
        checked_product(std::vector<int64_t>{largest, 2, 0}, "cache bytes");
      },
      StatusCode::limit_exceeded);
}

}  // namespace
}  // namespace graft
