// An engine whose ranks are processes: it answers as one process does, and a rank that is killed or hangs ends the
// engine of every other rank with COMM_ERROR within the time-out, while the host process goes on.
#include <gtest/gtest.h>

#include <thread>

#include "tests/ranks/processes.h"

namespace graft::ranks {
namespace {

Engine open_threads(int64_t ranks) {
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "options");
  const EngineOptions options(made);
  check(graft_engine_options_set_tensor_parallel(made, ranks), "ranks");
  graft_engine* engine = nullptr;
  check(graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, made, &engine), "open");
  return Engine(engine);
}

TEST(Processes, AnswerAsOneProcessDoes) {
  const RequestOptions options = greedy(24);
  const Tokens expected = generate(open_threads(1).get(), prompt, options.get()).tokens;
  for (const int64_t world : {2, 3}) {
    const Place place{0, world, free_port(), patient_ms};
    auto followers = start_followers(place);
    Engine engine = open_rank(place);
    EXPECT_EQ(generate(engine.get(), prompt, options.get()).tokens, expected) << world;
    check(graft_engine_close(engine.get(), patient_ms), "close");
    engine.reset();
    for (const auto& follower : followers) EXPECT_EQ(follower->wait(), GRAFT_STATUS_OK) << world;
  }
}

TEST(Processes, TwoEnginesOneAfterAnother) {
  const RequestOptions options = greedy(4);
  const int64_t port = free_port();
  for (int round = 0; round < 2; ++round) {
    const Place place{0, 2, round == 0 ? port : free_port(), patient_ms};
    auto followers = start_followers(place);
    const Engine engine = open_rank(place);
    EXPECT_EQ(generate(engine.get(), prompt, options.get()).tokens.size(), 4U);
    check(graft_engine_close(engine.get(), patient_ms), "close");
    EXPECT_EQ(followers[0]->wait(), GRAFT_STATUS_OK);
  }
}

// Rank 1 with another context limit or without replay: both ranks are told `expected`.
void expect_refused(int64_t context_of_other, bool graph_of_other, const char* expected) {
  const Place leader{0, 2, free_port(), patient_ms};
  std::string message[2];
  const auto open = [&](int64_t rank, int64_t context, bool graph) {
    Place place = leader;
    place.rank = rank;
    place.graph = graph;
    try {
      open_rank(place, context);
    } catch (const std::exception& error) {
      message[rank] = error.what();
    }
  };
  std::thread other([&] { open(1, context_of_other, graph_of_other); });
  open(0, 128, true);
  other.join();
  for (const std::string& text : message) EXPECT_NE(text.find(expected), std::string::npos) << text;
}

TEST(Processes, ThatOpenDifferentModelsAreRefused) {
  expect_refused(64, true, "context_limit is 128 on rank 0 and 64 on rank 1");
}

TEST(Processes, OfWhichSomeReplayAreRefused) { expect_refused(128, false, "graph is 1 on rank 0 and 0 on rank 1"); }

TEST(Processes, AFollowerTakesNoRequests) {
  const Place leader{0, 2, free_port(), patient_ms};
  std::string message;
  graft_status status = GRAFT_STATUS_OK;
  std::thread other([&] {
    Place place = leader;
    place.rank = 1;
    const Engine engine = open_rank(place);
    try {
      submit(engine.get(), prompt, greedy(1).get());
    } catch (const std::exception& error) {
      message = error.what();
    }
    status = graft_engine_wait(engine.get(), patient_ms);
  });
  const Engine engine = open_rank(leader);
  check(graft_engine_close(engine.get(), patient_ms), "close");
  other.join();
  EXPECT_NE(message.find("INVALID_STATE"), std::string::npos) << message;
  EXPECT_EQ(status, GRAFT_STATUS_OK);
}

void expect_host_lives() { EXPECT_EQ(generate(open_threads(2).get(), prompt, greedy(4).get()).tokens.size(), 4U); }

TEST(Processes, AKilledRankIsAnErrorOnEveryOther) {
  expect_killed_rank_is_told({0, 3, free_port(), short_ms});
  expect_host_lives();
}

TEST(Processes, AHungRankIsAnErrorWithinTheTimeout) {
  expect_hung_rank_is_told({0, 2, free_port(), short_ms});
  expect_host_lives();
}

TEST(Processes, AKilledRankIsNoticedWhileNothingRuns) {
  const Place place{0, 2, free_port(), short_ms};
  auto followers = start_followers(place);
  const Engine engine = open_rank(place);
  followers[0]->signal(SIGKILL);
  EXPECT_EQ(graft_engine_wait(engine.get(), patient_ms), GRAFT_STATUS_COMM_ERROR);
  expect_host_lives();
}

TEST(Processes, ThreadsOfOneProcessAnswerAsOneRankDoes) {
  const RequestOptions options = greedy(24);
  const Tokens expected = generate(open_threads(1).get(), prompt, options.get()).tokens;
  for (const int64_t ranks : {2, 3}) {
    EXPECT_EQ(generate(open_threads(ranks).get(), prompt, options.get()).tokens, expected) << ranks;
  }
}

TEST(Processes, MoreRanksThanHeadsAreRefused) {
  try {
    open_threads(7);
    FAIL() << "opened";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("UNSUPPORTED"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("7"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft::ranks
