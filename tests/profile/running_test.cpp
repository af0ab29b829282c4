// Profiles of an engine that works meanwhile, and of one with several ranks.
#include <gtest/gtest.h>

#include <future>

#include "tests/profile/support.h"

namespace graft::conformance {
namespace {

constexpr int64_t layers = 5;  // of examples/model

int64_t calls_of(const nlohmann::json& found, const std::string& op) {
  int64_t calls = 0;
  for (const nlohmann::json& row : found["ops"]) {
    if (row["op"] == op) calls += row["calls"].get<int64_t>();
  }
  return calls;
}

bool is_over(const std::future<void>& work) {
  return work.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

TEST(RunningProfile, PiecesAddUpToTheWhole) {
  const Engine engine = open_example("kernel");
  check(graft_engine_profile(engine.get(), 1), "on");
  std::future<void> work = std::async(std::launch::async, [&] { decode(engine.get(), 200); });
  int64_t passes = 0, attentions = 0;
  for (bool over = false; !over;) {
    over = is_over(work);
    const Profile piece = take_profile(engine.get());
    const nlohmann::json found = table(piece.get());
    const int64_t count = graft_profile_count(piece.get());
    EXPECT_EQ(found["forwards"], count);
    EXPECT_EQ(calls_of(found, "attention"), layers * count) << "whole passes only";
    passes += count;
    attentions += calls_of(found, "attention");
  }
  work.get();
  EXPECT_EQ(passes, 200);
  EXPECT_EQ(attentions, layers * 200);
}

TEST(RunningProfile, OnAndOffWhileRequestsRun) {
  const Engine engine = open_example("kernel");
  const RequestOptions options = make_greedy(200);
  const Tokens prompt = {1, 5, 9, 2};
  const Generated expected = generate(engine.get(), prompt, options.get());
  check(graft_engine_profile(engine.get(), 1), "on");
  Generated found;
  std::future<void> work =
      std::async(std::launch::async, [&] { found = generate(engine.get(), prompt, options.get()); });
  int64_t turns = 0, passes = 0;
  while (!is_over(work) || turns == 0) {
    check(graft_engine_profile(engine.get(), static_cast<int32_t>(++turns % 2)), "turn");
    if (turns % 16 != 1) continue;
    const Profile piece = take_profile(engine.get());
    EXPECT_EQ(calls_of(table(piece.get()), "attention"), layers * graft_profile_count(piece.get()));
    passes += graft_profile_count(piece.get());
  }
  work.get();
  check(graft_engine_profile(engine.get(), 1), "on");
  passes += graft_profile_count(take_profile(engine.get()).get());
  EXPECT_GT(passes, 0);
  EXPECT_LE(passes, 200);
  EXPECT_EQ(found.tokens, expected.tokens) << "measuring changes no answer";
  decode(engine.get(), 9);
  EXPECT_EQ(graft_profile_count(take_profile(engine.get()).get()), 9) << "the engine measures on";
}

TEST(RankProfile, ShowsWhatTheRanksDoTogether) {
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "options");
  const EngineOptions options(made);
  check(graft_engine_options_set_device(made, "cpu", -1), "device");
  check(graft_engine_options_set_tensor_parallel(made, 3), "ranks");
  check(graft_engine_options_set_threads(made, 1), "threads");
  graft_engine* opened = nullptr;
  check(graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, made, &opened), "open");
  const Engine engine(opened);
  check(graft_engine_profile(opened, 1), "on");
  decode(opened, 12);
  const Profile profile = take_profile(opened);
  EXPECT_EQ(graft_profile_count(profile.get()), 12) << "rank 0 alone";
  const nlohmann::json found = table(profile.get());
  EXPECT_EQ(calls_of(found, "broadcast"), 12);
  EXPECT_EQ(calls_of(found, "attention"), layers * 12);
  EXPECT_EQ(calls_of(found, "all_reduce"), 2 * layers * 12);
  EXPECT_EQ(calls_of(found, "gather_columns"), 12);
  EXPECT_GE(found["explained"].get<double>(), 0.95);
}

}  // namespace
}  // namespace graft::conformance
