// What a profile says, and when there is one.
#include "tests/profile/support.h"

#include <gtest/gtest.h>

#include <numeric>

namespace graft::conformance {
namespace {

constexpr int64_t layers = 5;  // of examples/model

void expect_off(graft_engine* engine) {
  graft_profile* profile = nullptr;
  EXPECT_EQ(graft_profile_take(engine, &profile), GRAFT_STATUS_INVALID_STATE);
  EXPECT_EQ(profile, nullptr);
  EXPECT_NE(std::string(graft_last_error_message()).find("profiling is off"), std::string::npos)
      << graft_last_error_message();
}

TEST(Profile, OffIsAnInvalidState) {
  const Engine engine = open_example("kernel");
  expect_off(engine.get());
  decode(engine.get(), 3);
  expect_off(engine.get());
  check(graft_engine_profile(engine.get(), 1), "on");
  check(graft_engine_profile(engine.get(), 0), "off");
  decode(engine.get(), 3);
  expect_off(engine.get());
}

TEST(Profile, CountsForwardsAndTakingClears) {
  const Engine engine = open_example("kernel");
  decode(engine.get(), 4);  // not measured
  check(graft_engine_profile(engine.get(), 1), "on");
  decode(engine.get(), 20);
  const Profile profile = take_profile(engine.get());
  const std::vector<double> times = milliseconds(profile.get());
  ASSERT_EQ(times.size(), 20u);
  for (double time : times) EXPECT_GT(time, 0);
  const nlohmann::json found = table(profile.get());
  EXPECT_EQ(found["forwards"], 20);
  EXPECT_EQ(found["dropped"], 0);
  EXPECT_NEAR(std::accumulate(times.begin(), times.end(), 0.0), found["forward_ms"].get<double>(), 1e-6);

  const Profile empty = take_profile(engine.get());
  EXPECT_EQ(graft_profile_count(empty.get()), 0);
  EXPECT_EQ(table(empty.get())["forwards"], 0);
  EXPECT_TRUE(table(empty.get())["ops"].empty());
}

TEST(Profile, WhatWasMeasuredStaysAfterTheEnd) {
  const Engine engine = open_example("kernel");
  check(graft_engine_profile(engine.get(), 1), "on");
  decode(engine.get(), 6);
  check(graft_engine_profile(engine.get(), 0), "off");
  decode(engine.get(), 5);  // not measured
  EXPECT_EQ(graft_profile_count(take_profile(engine.get()).get()), 6);
  expect_off(engine.get());
}

TEST(Profile, OutlivesItsEngine) {
  Engine engine = open_example("kernel");
  check(graft_engine_profile(engine.get(), 1), "on");
  decode(engine.get(), 2);
  const Profile profile = take_profile(engine.get());
  check(graft_engine_close(engine.get(), timeout_ms), "close");
  engine.reset();
  EXPECT_EQ(milliseconds(profile.get()).size(), 2u);
  EXPECT_FALSE(table(profile.get())["ops"].empty());
}

TEST(Profile, ASmallBufferGetsTheFirst) {
  const Engine engine = open_example("kernel");
  check(graft_engine_profile(engine.get(), 1), "on");
  decode(engine.get(), 5);
  const Profile profile = take_profile(engine.get());
  const std::vector<double> all = milliseconds(profile.get());
  double few[3] = {0, 0, -1};
  int64_t count = 0;
  EXPECT_EQ(graft_profile_milliseconds(profile.get(), few, 2, &count), GRAFT_STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(count, 5);
  EXPECT_EQ(few[0], all[0]);
  EXPECT_EQ(few[1], all[1]);
  EXPECT_EQ(few[2], -1);
  EXPECT_EQ(graft_profile_milliseconds(profile.get(), nullptr, 0, &count), GRAFT_STATUS_BUFFER_TOO_SMALL);
}

TEST(Profile, TwoEnginesDoNotMix) {
  const Engine first = open_example("kernel"), second = open_example("kernel"), third = open_example("kernel");
  check(graft_engine_profile(first.get(), 1), "on");
  check(graft_engine_profile(second.get(), 1), "on");
  decode(first.get(), 7);
  decode(second.get(), 11);
  decode(third.get(), 2);
  EXPECT_EQ(graft_profile_count(take_profile(first.get()).get()), 7);
  EXPECT_EQ(graft_profile_count(take_profile(second.get()).get()), 11);
  expect_off(third.get());
}

struct Form {
  const char* name;
  const char* injection;
  bool graph;
};

class Explained : public testing::TestWithParam<Form> {};

// A ratio of times of the same run: what is lost between the rows and the passes around them.
TEST_P(Explained, AtLeast95PercentOfTheForwards) {
  constexpr int64_t steps = 60;
  const Engine engine = open_example(GetParam().injection, GetParam().graph);
  check(graft_engine_profile(engine.get(), 1), "on");
  decode(engine.get(), steps);
  const Profile profile = take_profile(engine.get());
  const std::vector<double> times = milliseconds(profile.get());
  ASSERT_EQ(times.size(), static_cast<size_t>(steps));
  const double forwards = std::accumulate(times.begin(), times.end(), 0.0);
  const nlohmann::json found = table(profile.get());
  double rows = 0, shares = 0, before = forwards;
  int64_t attentions = 0;
  for (const nlohmann::json& row : found["ops"]) {
    const auto time = row["milliseconds"].get<double>();
    EXPECT_LE(time, before) << "the longest first";
    EXPECT_FALSE(row["op"].get<std::string>().empty());
    EXPECT_GT(row["calls"].get<int64_t>(), 0);
    rows += before = time;
    shares += row["share"].get<double>();
    if (row["op"] == "attention") attentions += row["calls"].get<int64_t>();
  }
  EXPECT_EQ(attentions, layers * steps);
  EXPECT_GE(rows, 0.95 * forwards) << found.dump(1);
  EXPECT_LE(rows, forwards) << "times that overlap";
  EXPECT_NEAR(found["explained"].get<double>(), rows / forwards, 1e-6);
  EXPECT_NEAR(shares, rows / forwards, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Forms, Explained,
                         testing::Values(Form{"fused", "kernel", true}, Form{"recorded_anew", "kernel", false},
                                         Form{"client", "none", true}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace graft::conformance
