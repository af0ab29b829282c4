#include "core/engine/run_ahead.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(RunAhead, IsTwoStepsAtLeast) {
  RunAhead nothing(milliseconds(0)), some(milliseconds(10));
  EXPECT_EQ(nothing.steps(), RunAhead::least_steps);
  EXPECT_EQ(some.steps(), RunAhead::least_steps) << "before any was seen";
  nothing.took(5, microseconds(5));
  EXPECT_EQ(nothing.steps(), RunAhead::least_steps);
  some.took(1, milliseconds(50));
  EXPECT_EQ(some.steps(), RunAhead::least_steps) << "slower than the time";
}

TEST(RunAhead, IsWhatWasDoneInItsTime) {
  RunAhead ahead(milliseconds(10));
  ahead.took(4, milliseconds(8));
  EXPECT_EQ(ahead.steps(), 1 + 5);
  ahead.took(1, milliseconds(10));
  EXPECT_EQ(ahead.steps(), 1 + 1);
  ahead.took(10, milliseconds(10));
  EXPECT_EQ(ahead.steps(), 1 + 10);
}

TEST(RunAhead, HasAnEnd) {
  RunAhead ahead(milliseconds(10));
  ahead.took(1, microseconds(1));
  EXPECT_EQ(ahead.steps(), RunAhead::most_steps);
  ahead.took(3, RunAhead::Time{0});  // a clock that stood still
  EXPECT_EQ(ahead.steps(), RunAhead::most_steps);
}

}  // namespace
}  // namespace graft
