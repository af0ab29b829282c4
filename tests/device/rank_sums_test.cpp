// Ranks on devices of their own, on stand-ins for the devices and for NCCL: the answers of ranks on the CPU, with the
// sums inside the captured steps; and a rank that hangs, fails or dies is an error on the others in time.
#include <gtest/gtest.h>

#include <thread>

#include "tests/device/ranks_on_devices.h"

namespace graft::conformance {
namespace {

TEST_F(RanksOnDevices, AnswerAsRanksOnTheCpuDo) {
  for (const int64_t ranks : {2, 3}) {
    for (const char* dtype : {"float32", "int8"}) {
      Engine cpu = open_ranks(ranks, "cpu", true, 0, dtype), captured = open_ranks(ranks, "cuda", true, 0, dtype),
             called = open_ranks(ranks, "cuda:1", false, 0, dtype);
      ASSERT_TRUE(cpu && captured && called) << failure;
      EXPECT_EQ(sums(cpu.get()), "host");
      EXPECT_EQ(sums(captured.get()), "nccl");
      const Matrix expected = logits(cpu.get(), prompt);
      EXPECT_EQ(logits(captured.get(), prompt).values, expected.values) << ranks << ", " << dtype;
      EXPECT_EQ(logits(called.get(), prompt).values, expected.values) << ranks << ", " << dtype;
      const Tokens tokens = answer(cpu.get(), prompt);
      EXPECT_EQ(answer(captured.get(), prompt), tokens) << ranks << ", " << dtype;
      EXPECT_EQ(answer(called.get(), prompt), tokens) << ranks << ", " << dtype;
      close(captured), close(called), close(cpu);
    }
  }
}

TEST_F(RanksOnDevices, SumsArePartOfTheCapturedStep) {
  const int64_t recorded = nccl().recorded, enqueued = nccl().enqueued, done = nccl().done;
  const int64_t launches = faults().graph_launches, ahead = faults().launches_ahead;
  Engine engine = open_ranks(2);
  ASSERT_TRUE(engine) << failure;
  const int64_t first = 2 * 6;  // of 64, 512, 4096, 32768 and 262144 values, and of 512 rows of 896
  EXPECT_EQ(nccl().enqueued - enqueued, first) << "each rank's first, which are in no capture";
  const int64_t layers = 5, of_a_step = 2 * layers + 1;
  const Tokens tokens = answer(engine.get(), prompt);
  EXPECT_EQ(answer(engine.get(), prompt), tokens);
  const int64_t graphs = faults().graphs;
  close(engine);  // now rank 1 has done what it does after rank 0 has the answer
  EXPECT_EQ(graphs, 2 * 8) << "of each rank: one of each capacity";
  EXPECT_EQ(nccl().recorded - recorded, graphs * of_a_step) << "no later step records";
  EXPECT_EQ(nccl().enqueued - enqueued, first);
  const int64_t steps = faults().graph_launches - launches;
  EXPECT_EQ(steps, 2 * 2 * static_cast<int64_t>(tokens.size()));
  EXPECT_GT(faults().launches_ahead, ahead) << "no rank went ahead";
  EXPECT_EQ(nccl().done - done, first + steps * of_a_step);
}

TEST_F(RanksOnDevices, RunAheadTogetherWhileAnswersComeAndGo) {
  Engine cpu = open_ranks(2, "cpu");
  ASSERT_TRUE(cpu) << failure;
  const auto expected = many_answers(cpu.get());
  for (const int64_t milliseconds : {60'000, 3}) {
    run_ahead_ms = milliseconds;
    Engine engine = open_ranks(2);
    ASSERT_TRUE(engine) << failure;
    for (int round = 0; round < 2; ++round) EXPECT_EQ(many_answers(engine.get()), expected) << milliseconds;
    close(engine);
  }
}

TEST_F(RanksOnDevices, RanksThatShareADeviceAddUpOnTheHost) {
  faults().devices = 1;
  const int64_t recorded = nccl().recorded;
  Engine cpu = open_ranks(2, "cpu"), shared = open_ranks(2);
  ASSERT_TRUE(cpu && shared) << failure;
  EXPECT_EQ(sums(shared.get()), "staged: ranks 0 and 1 share a device");
  EXPECT_EQ(logits(shared.get(), prompt).values, logits(cpu.get(), prompt).values);
  EXPECT_EQ(nccl().recorded, recorded);
  EXPECT_EQ(faults().graphs, 0) << "what waits for the host cannot be captured";
  close(shared), close(cpu);
}

TEST_F(RanksOnDevices, TheProfileNamesTheSums) {
  Engine engine = open_ranks(2);
  ASSERT_TRUE(engine) << failure;
  check(graft_engine_profile(engine.get(), 1), "profile");
  const int64_t launched = faults().graph_launches;
  answer(engine.get(), prompt);
  EXPECT_EQ(faults().graph_launches, launched) << "a sum that is part of a graph on some of the ranks";
  graft_profile* profile = nullptr;
  check(graft_profile_take(engine.get(), &profile), "take");
  graft_string* table = nullptr;
  check(graft_profile_table(profile, &table), "table");
  const std::string text(graft_string_data(table), static_cast<size_t>(graft_string_size(table)));
  EXPECT_NE(text.find(R"("variant":"nccl")"), std::string::npos) << text;
  EXPECT_EQ(text.find("staged"), std::string::npos) << text;
  graft_string_free(table);
  graft_profile_free(profile);
  close(engine);
}

TEST_F(RanksOnDevices, ARankThatHangsIsAnErrorAfterTheTimeOut) {
  for (const bool graph : {true, false}) {
    Engine engine = open_ranks(2, "cuda", graph, /*rank_timeout_ms=*/5000);
    ASSERT_TRUE(engine) << failure;
    nccl().absent = 1;
    const std::string text = failing_step(engine.get(), GRAFT_STATUS_COMM_ERROR);
    EXPECT_GT(took, 4.5) << text;
    nccl().absent = -1;
    engine.reset();
  }
}

TEST_F(RanksOnDevices, AnErrorThatNcclFindsLaterIsToldInItsWords) {
  Engine engine = open_ranks(2);
  ASSERT_TRUE(engine) << failure;
  nccl().absent = 0;  // the sum is under way
  nccl().async_error = 6;
  const std::string text = failing_step(engine.get(), GRAFT_STATUS_COMM_ERROR);
  EXPECT_NE(text.find("remote process exited"), std::string::npos) << text;
}

// It fails between two steps' sums, so that the other's device waits for it; also while NCCL does not let it go.
TEST_F(RanksOnDevices, ARankThatFailsFreesTheOthersAtOnce) {
  for (const bool hang : {false, true}) {
    Engine engine = open_ranks(2);
    ASSERT_TRUE(engine) << failure;
    nccl().aborts_hang = hang;
    faults().faulty = 1;
    faults().copies = 1;  // it takes no part in the step
    const Request request = submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get());
    expect_reason(engine.get(), request, "a copy that was to fail");
  }
}

TEST_F(RanksOnDevices, ADeviceThatIsLostInASumIsToldAsThat) { lose_a_device_in_a_sum(prompt); }

TEST_F(RanksOnDevices, WhereNcclFailsWithTheDeviceItsOwnReasonIsTold) {
  Engine engine = open_ranks(2, "cuda", /*graph=*/false);
  ASSERT_TRUE(engine) << failure;
  nccl().failing = 1;
  faults().faulty = 1;
  faults().launch_losses = 1;
  const Request request = submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get());
  expect_reason(engine.get(), request, "the device is lost");
}

TEST_F(RanksOnDevices, WhatNcclSaysToOneRankIsToldByAll) {
  Engine engine = open_ranks(2, "cuda", /*graph=*/false);
  ASSERT_TRUE(engine) << failure;
  nccl().failing = 1;
  const std::string text = failing_step(engine.get(), GRAFT_STATUS_COMM_ERROR);
  EXPECT_EQ(text, "rank 1: nccl group: rank 1 of 2 in all_reduce: unhandled cuda error");
}

// Each rank aborts what it has; that NCCL does not return from it keeps no other waiting.
TEST_F(RanksOnDevices, ARankThatFailsToOpenFreesTheOthersAtOnce) {
  for (const bool meeting : {true, false}) {
    const int64_t aborts = nccl().aborts + 2;
    nccl().aborts_hang = true;
    nccl().failing = meeting ? 1 : -1;
    faults().faulty = 1;
    faults().captures = meeting ? 0 : 1;
    std::thread opener([&] { EXPECT_FALSE(open_ranks(2)); });
    const auto end = Clock::now() + std::chrono::seconds(50);  // the time-out is a minute
    while (nccl().aborts < aborts && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(nccl().aborts, aborts) << (meeting ? "first sums" : "loading");
    nccl().aborts_hang = false;
    opener.join();
    EXPECT_EQ(status, meeting ? GRAFT_STATUS_COMM_ERROR : GRAFT_STATUS_DEVICE_ERROR) << failure;
  }
}

TEST_F(RanksOnDevices, AGroupThatCannotMeetIsNotOpened) {
  nccl().async_error = 6;
  EXPECT_FALSE(open_ranks(2));
  EXPECT_EQ(status, GRAFT_STATUS_COMM_ERROR);
  EXPECT_NE(failure.find("remote process exited"), std::string::npos) << failure;
}

TEST_F(RanksOnDevices, AFirstSumThatNeverEndsIsNotOpened) {
  nccl().absent = 1;
  EXPECT_FALSE(open_ranks(2, "cuda", true, /*rank_timeout_ms=*/5000));
  EXPECT_EQ(status, GRAFT_STATUS_COMM_ERROR);
}

}  // namespace
}  // namespace graft::conformance
