// An engine whose ranks are processes: it answers as one process does, and a rank that is killed or hangs ends the
// engine of every other rank with COMM_ERROR within the time-out, while the host process goes on.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "tests/ranks/processes.h"

namespace graft::ranks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t patient_ms = 60'000;
constexpr int64_t short_ms = 3'000;
const Tokens prompt = {1, 20, 35, 50, 65, 80};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::vector<std::unique_ptr<Follower>> start_followers(Place place) {
  std::vector<std::unique_ptr<Follower>> followers;
  for (place.rank = 1; place.rank < place.world; ++place.rank) followers.push_back(std::make_unique<Follower>(place));
  return followers;
}

RequestOptions greedy(int64_t tokens) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_greedy(options.get(), 1), "greedy");
  check(graft_request_options_set_max_tokens(options.get(), tokens), "max tokens");
  check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
  return options;
}

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

TEST(Processes, ThatOpenDifferentModelsAreRefused) {
  const Place leader{0, 2, free_port(), patient_ms};
  std::string message[2];
  const auto open = [&](int64_t rank, int64_t context) {
    Place place = leader;
    place.rank = rank;
    try {
      open_rank(place, context);
    } catch (const std::exception& error) {
      message[rank] = error.what();
    }
  };
  std::thread other([&] { open(1, 64); });
  open(0, 128);
  other.join();
  for (const std::string& text : message) {
    EXPECT_NE(text.find("context_limit is 128 on rank 0 and 64 on rank 1"), std::string::npos) << text;
  }
}

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

// Generates until a few tokens have come, then strikes; returns how the request ended.
graft_status strike(graft_engine* engine, const std::function<void()>& blow) {
  const Request request = submit(engine, prompt, greedy(200).get());
  const Event event = make_event();
  for (int token = 0; token < 3;) {
    check(graft_request_next(request.get(), patient_ms, event.get()), "next");
    token += graft_event_kind(event.get()) == GRAFT_EVENT_TOKEN;
  }
  blow();
  return graft_request_wait(request.get(), patient_ms);
}

void expect_host_lives() { EXPECT_EQ(generate(open_threads(2).get(), prompt, greedy(4).get()).tokens.size(), 4U); }

TEST(Processes, AKilledRankIsAnErrorOnEveryOther) {
  const Place place{0, 3, free_port(), short_ms};
  auto followers = start_followers(place);
  Engine engine = open_rank(place);
  const auto begin = Clock::now();
  EXPECT_EQ(strike(engine.get(), [&] { followers[0]->signal(SIGKILL); }), GRAFT_STATUS_COMM_ERROR);
  EXPECT_EQ(graft_engine_wait(engine.get(), patient_ms), GRAFT_STATUS_COMM_ERROR);
  engine.reset();
  EXPECT_EQ(followers[0]->wait(), -SIGKILL);
  EXPECT_EQ(followers[1]->wait(), GRAFT_STATUS_COMM_ERROR);
  EXPECT_LT(seconds_since(begin), 3 * short_ms / 1000.0);
  expect_host_lives();
}

TEST(Processes, AHungRankIsAnErrorWithinTheTimeout) {
  const Place place{0, 2, free_port(), short_ms};
  auto followers = start_followers(place);
  Engine engine = open_rank(place);
  const auto begin = Clock::now();
  EXPECT_EQ(strike(engine.get(), [&] { followers[0]->signal(SIGSTOP); }), GRAFT_STATUS_COMM_ERROR);
  EXPECT_LT(seconds_since(begin), 3 * short_ms / 1000.0);
  engine.reset();
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
