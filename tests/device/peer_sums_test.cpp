// Ranks on devices that reach each other, on stand-ins for the devices: the answers of ranks on the CPU, with small
// sums over peer memory inside the captured steps; and a rank that hangs, fails or dies is an error on the others in
// time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/device/ranks_on_devices.h"

namespace graft::conformance {
namespace {

const Tokens few = {20, 9, 14};  // no more than peers add up in one step

class RanksOfPeers : public RanksOnDevices {
 protected:
  RanksOfPeers() : RanksOnDevices(/*peers=*/true) {}
};

TEST_F(RanksOfPeers, AnswerAsRanksOnTheCpuDo) {
  for (const int64_t ranks : {2, 3, 4}) {
    for (const char* dtype : {"float32", "int8"}) {
      Engine cpu = open_ranks(ranks, "cpu", true, 0, dtype), captured = open_ranks(ranks, "cuda", true, 0, dtype),
             called = open_ranks(ranks, "cuda:1", false, 0, dtype);
      ASSERT_TRUE(cpu && captured && called) << failure;
      EXPECT_EQ(sums(captured.get()), "peer memory + nccl");
      EXPECT_EQ(sums(called.get()), "peer memory + nccl");
      for (const Tokens& tokens : {prompt, few}) {
        const Matrix expected = logits(cpu.get(), tokens);
        EXPECT_EQ(logits(captured.get(), tokens).values, expected.values) << ranks << ", " << dtype;
        EXPECT_EQ(logits(called.get(), tokens).values, expected.values) << ranks << ", " << dtype;
        const Tokens answered = answer(cpu.get(), tokens);
        EXPECT_EQ(answer(captured.get(), tokens), answered) << ranks << ", " << dtype;
        EXPECT_EQ(answer(called.get(), tokens), answered) << ranks << ", " << dtype;
      }
      close(captured), close(called), close(cpu);
    }
  }
}

// Also where the kernels are those of a device (the test emulated_peers).
TEST_F(RanksOfPeers, AnswerAsOneRankDoes) {
  Engine one = open_ranks(1);
  ASSERT_TRUE(one) << failure;
  const Matrix expected = logits(one.get(), few);
  const Tokens answered = answer(one.get(), few);
  float scale = 0;
  for (const float logit : expected.values) scale = std::max(scale, std::fabs(logit));
  for (const int64_t ranks : {2, 3, 4}) {
    const int64_t done = faults().peer_sums;
    Engine several = open_ranks(ranks);
    ASSERT_TRUE(several) << failure;
    const Matrix found = logits(several.get(), few);
    ASSERT_EQ(found.values.size(), expected.values.size());
    for (size_t i = 0; i < found.values.size(); ++i) {
      ASSERT_NEAR(found.values[i], expected.values[i], 1e-4f * scale) << ranks << " ranks, logit " << i;
    }
    EXPECT_EQ(answer(several.get(), few), answered) << ranks << " ranks";
    EXPECT_GT(faults().peer_sums, done + 2 * ranks) << "more than each rank's first two";
    close(several);
  }
  close(one);
}

TEST_F(RanksOfPeers, SumsArePartOfTheCapturedStep) {
  const int64_t recorded = nccl().recorded, done = faults().peer_sums, ahead = faults().launches_ahead;
  Engine engine = open_ranks(2);
  ASSERT_TRUE(engine) << failure;
  constexpr int64_t layers = 5, trials = 2 * 2;
  EXPECT_EQ(faults().peer_sums - done, trials) << "each rank's first, one of each slot";
  const Tokens tokens = answer(engine.get(), prompt);
  close(engine);
  const auto steps = 2 * (static_cast<int64_t>(tokens.size()) - 1);  // of both ranks; the prompt's is too large
  EXPECT_EQ(faults().peer_sums - done, trials + steps * 2 * layers);
  EXPECT_GT(faults().launches_ahead, ahead) << "no rank went ahead";
  EXPECT_EQ(nccl().recorded - recorded, 2 * (2 * 1 + 6 * (2 * layers + 1))) << "logits alone, up to 8 rows";
}

TEST_F(RanksOfPeers, RunAheadTogetherWhileAnswersComeAndGo) {
  Engine cpu = open_ranks(3, "cpu"), engine = open_ranks(3);
  ASSERT_TRUE(cpu && engine) << failure;
  const auto expected = many_answers(cpu.get());
  for (int round = 0; round < 2; ++round) EXPECT_EQ(many_answers(engine.get()), expected) << round;
  close(engine);
}

TEST_F(RanksOfPeers, ARankThatHangsIsAnErrorAfterTheTimeOut) {
  for (const bool graph : {true, false}) {
    Engine engine = open_ranks(2, "cuda", graph, /*rank_timeout_ms=*/5000);
    ASSERT_TRUE(engine) << failure;
    faults().absent = 1;
    const std::string text = failing_step(engine.get(), GRAFT_STATUS_COMM_ERROR, few);
    EXPECT_GT(took, 4.5) << text;
    faults().absent = -1;
    engine.reset();
  }
}

// It fails before its sums, so that the others' devices wait for it.
TEST_F(RanksOfPeers, ARankThatFailsFreesTheOthersAtOnce) {
  Engine engine = open_ranks(3);
  ASSERT_TRUE(engine) << failure;
  faults().faulty = 1;
  faults().copies = 1;  // it takes no part in the step
  const Request request = submit(engine.get(), few, make_options(GRAFT_REQUEST_LOGITS).get());
  expect_reason(engine.get(), request, "a copy that was to fail");
}

TEST_F(RanksOfPeers, ADeviceThatIsLostInASumIsToldAsThat) { lose_a_device_in_a_sum(few); }

TEST_F(RanksOfPeers, AnErrorThatNcclFindsEndsTheirSumsToo) {
  Engine engine = open_ranks(2);
  ASSERT_TRUE(engine) << failure;
  faults().absent = 0;  // the sum is under way
  nccl().async_error = 6;
  const std::string text = failing_step(engine.get(), GRAFT_STATUS_COMM_ERROR, few);
  EXPECT_LT(took, 50) << text;
}

TEST_F(RanksOfPeers, WhereAFirstSumIsWrongOrNeverEndsNcclDoesAll) {
  Engine cpu = open_ranks(2, "cpu");
  const Matrix expected = logits(cpu.get(), few);
  for (const bool wrong : {true, false}) {
    faults().wrong_sums = wrong;
    faults().absent = wrong ? -1 : 1;
    Engine engine = open_ranks(2, "cuda", true, /*rank_timeout_ms=*/5000);
    ASSERT_TRUE(engine) << failure;
    EXPECT_EQ(sums(engine.get()), "nccl");
    EXPECT_EQ(logits(engine.get(), few).values, expected.values);
    close(engine);
  }
}

TEST_F(RanksOfPeers, WithoutMemoryForThemNothingIsOpened) {
  for (int64_t n = 1; n < 12; ++n) {
    faults().allocations = n;
    const Engine engine = open_ranks(2);
    if (!engine) {
      EXPECT_EQ(status, GRAFT_STATUS_OUT_OF_MEMORY) << n << ": " << failure;
    }
    faults().allocations = 0;
  }
}

}  // namespace
}  // namespace graft::conformance
