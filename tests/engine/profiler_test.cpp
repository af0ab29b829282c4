#include "core/engine/profiler.h"

#include <gtest/gtest.h>

#include "core/base/status.h"

namespace graft {
namespace {

TEST(OpTimes, SumsByNameAndIsBounded) {
  static char names[OpTimes::most + 20][4];  // an address each
  OpTimes times;
  for (int round = 0; round < 2; ++round) {
    for (auto& name : names) times.add(name, 1, 10);
  }
  ASSERT_EQ(times.values().size(), OpTimes::most);
  EXPECT_EQ(times.values()[3].calls, 2);
  EXPECT_EQ(times.values()[3].nanoseconds, 20);
  EXPECT_STREQ(times.values().back().name, "other");
  int64_t calls = 0, nanoseconds = 0;
  for (const OpTime& time : times.values()) calls += time.calls, nanoseconds += time.nanoseconds;
  EXPECT_EQ(calls, 2 * std::ssize(names));
  EXPECT_EQ(nanoseconds, 20 * std::ssize(names));
}

TEST(OpTimer, LapsFollowOneAnother) {
  OpTimer timer;
  const auto begin = std::chrono::steady_clock::now();
  timer.start();
  for (int i = 0; i < 100; ++i) timer.lap(i % 2 == 0 ? "even" : "odd");
  const int64_t elapsed = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  ASSERT_EQ(timer.times().values().size(), 2u);
  int64_t sum = 0;
  for (const OpTime& time : timer.times().values()) {
    EXPECT_EQ(time.calls, 50);
    sum += time.nanoseconds;
  }
  EXPECT_LE(sum, elapsed);
}

TEST(Profiler, KeepsTheNewestPassesAndCountsTheRest) {
  Profiler profiler;
  profiler.enable(true);
  OpTimes ops;
  ops.add("linear", 2, 1);
  constexpr int64_t kept = Profiler::most_forwards, passes = kept + 10;
  for (int64_t i = 0; i < passes; ++i) profiler.add(i, ops);
  const Profile profile = profiler.take();
  ASSERT_EQ(std::ssize(profile.forwards), kept);
  EXPECT_EQ(profile.dropped, 10);
  EXPECT_EQ(profile.forwards.front(), 10);
  EXPECT_EQ(profile.forwards.back(), passes - 1);
  EXPECT_EQ(profile.forward_nanoseconds, passes * (passes - 1) / 2);
  ASSERT_EQ(profile.ops.size(), 1u);
  EXPECT_EQ(profile.ops[0].calls, 2 * passes);
  profiler.add(5, ops);
  EXPECT_EQ(profiler.take().forwards, std::vector<int64_t>{5}) << "anew after a take";
}

TEST(Profiler, OffWithNothingLeftIsAnError) {
  Profiler profiler;
  EXPECT_THROW(profiler.take(), Error);
  profiler.enable(true);
  EXPECT_TRUE(profiler.take().forwards.empty());
  profiler.add(5, {});
  profiler.enable(false);
  EXPECT_EQ(profiler.take().forwards.size(), 1u);
  EXPECT_THROW(profiler.take(), Error);
}

}  // namespace
}  // namespace graft
