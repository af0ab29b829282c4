// Processes with a device each, on stand-ins for the devices and for NCCL: sums are part of each rank's captured step,
// and a rank that is killed or hangs ends the others in time.
#include <gtest/gtest.h>

#include "tests/ranks/processes.h"

namespace graft::ranks {
namespace {

class DeviceProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (prepare_cuda() == nullptr)
      GTEST_SKIP() << "the stand-in gives each rank a device, a machine need not have so many";
  }

  static Place place_of(int64_t world, int64_t timeout_ms) { return {0, world, free_port(), timeout_ms, "cuda"}; }

  static std::string sums(graft_engine* engine) {
    graft_string* made = nullptr;
    check(graft_engine_info(engine, &made), "info");
    const std::string text = graft_string_data(made), key = R"("sums_of_ranks":")";
    graft_string_free(made);
    const size_t at = text.find(key);
    return at == std::string::npos ? text
                                   : text.substr(at + key.size(), text.find('"', at + key.size()) - at - key.size());
  }

  static Tokens expected(int64_t tokens) {
    Place place{0, 1, 0, patient_ms};
    return generate(open_rank(place).get(), prompt, greedy(tokens).get()).tokens;
  }
};

TEST_F(DeviceProcesses, AnswerAsOneProcessOnTheCpuDoes) {
  const Tokens tokens = expected(24);
  for (const int64_t world : {2, 3}) {
    const Place place = place_of(world, patient_ms);
    auto followers = start_followers(place);
    Engine engine = open_rank(place);
    EXPECT_EQ(sums(engine.get()), "nccl") << world;
    EXPECT_EQ(generate(engine.get(), prompt, greedy(24).get()).tokens, tokens) << world;
    check(graft_engine_close(engine.get(), patient_ms), "close");
    engine.reset();
    for (const auto& follower : followers) EXPECT_EQ(follower->wait(), GRAFT_STATUS_OK) << world;
  }
}

TEST_F(DeviceProcesses, ThatShareADeviceAddUpOnTheHost) {
  Place place = place_of(2, patient_ms);
  place.devices = 1;
  auto followers = start_followers(place);
  Engine engine = open_rank(place);
  EXPECT_EQ(sums(engine.get()), "staged: ranks 0 and 1 share a device");
  EXPECT_EQ(generate(engine.get(), prompt, greedy(24).get()).tokens, expected(24));
  check(graft_engine_close(engine.get(), patient_ms), "close");
  engine.reset();
  EXPECT_EQ(followers[0]->wait(), GRAFT_STATUS_OK);
}

TEST_F(DeviceProcesses, AKilledRankIsAnErrorOnEveryOther) { expect_killed_rank_is_told(place_of(3, short_ms)); }

TEST_F(DeviceProcesses, AHungRankIsAnErrorWithinTheTimeout) { expect_hung_rank_is_told(place_of(2, short_ms)); }

// The first engine's end is no end of what the process has loaded.
TEST_F(DeviceProcesses, OneGroupAfterAnother) {
  const Tokens tokens = expected(4);
  for (int round = 0; round < 2; ++round) {
    const Place place = place_of(2, patient_ms);
    auto followers = start_followers(place);
    const Engine engine = open_rank(place);
    EXPECT_EQ(generate(engine.get(), prompt, greedy(4).get()).tokens, tokens);
    check(graft_engine_close(engine.get(), patient_ms), "close");
    EXPECT_EQ(followers[0]->wait(), GRAFT_STATUS_OK);
  }
}

}  // namespace
}  // namespace graft::ranks
