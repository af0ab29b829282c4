// Processes with a device each, on stand-ins for the devices and for NCCL: sums are part of each rank's captured step,
// over the memory of the others or without it, and a rank that is killed or hangs ends the others in time.
#include <gtest/gtest.h>

#include "tests/ranks/processes.h"

namespace graft::ranks {
namespace {

/// With peer memory or without.
class DeviceProcesses : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (prepare_cuda() == nullptr)
      GTEST_SKIP() << "the stand-in gives each rank a device, a machine need not have so many";
    if (!GetParam()) setenv("GRAFT_TEST_NO_PEERS", "1", 1);
  }
  void TearDown() override { unsetenv("GRAFT_TEST_NO_PEERS"); }

  static stand_in::Faults& faults() {
    return *reinterpret_cast<stand_in::GetFaults>(dlsym(prepare_cuda(), stand_in::get_faults_symbol))();
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

TEST_P(DeviceProcesses, AnswerAsOneProcessOnTheCpuDoes) {
  const Tokens tokens = expected(24);
  for (const int64_t world : {2, 3}) {
    const int64_t regions = faults().regions(), done = faults().peer_sums;
    const Place place = place_of(world, patient_ms);
    auto followers = start_followers(place);
    Engine engine = open_rank(place);
    EXPECT_EQ(sums(engine.get()), GetParam() ? "peer memory + nccl" : "nccl") << world;
    EXPECT_EQ(generate(engine.get(), prompt, greedy(24).get()).tokens, tokens) << world;
    check(graft_engine_close(engine.get(), patient_ms), "close");
    engine.reset();
    for (const auto& follower : followers) EXPECT_EQ(follower->wait(), GRAFT_STATUS_OK) << world;
    EXPECT_EQ(faults().peer_sums > done, GetParam());
    EXPECT_EQ(faults().regions(), regions) << "memory of the device that was not given back";
  }
}

TEST_P(DeviceProcesses, ThatShareADeviceAddUpOnTheHost) {
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

TEST_P(DeviceProcesses, AKilledRankIsAnErrorOnEveryOther) { expect_killed_rank_is_told(place_of(3, short_ms)); }

TEST_P(DeviceProcesses, AHungRankIsAnErrorWithinTheTimeout) { expect_hung_rank_is_told(place_of(2, short_ms)); }

// One process alone may find that its device gets sums wrong.
TEST_P(DeviceProcesses, WhereAFirstSumIsWrongNcclDoesAll) {
  const int64_t regions = faults().regions();
  const Place place = place_of(2, patient_ms);
  faults().wrong_sums = true;
  auto followers = start_followers(place);
  Engine engine = open_rank(place);
  faults().wrong_sums = false;
  EXPECT_EQ(sums(engine.get()), "nccl");
  EXPECT_EQ(generate(engine.get(), prompt, greedy(8).get()).tokens, expected(8));
  check(graft_engine_close(engine.get(), patient_ms), "close");
  engine.reset();
  EXPECT_EQ(followers[0]->wait(), GRAFT_STATUS_OK);
  EXPECT_EQ(faults().regions(), regions) << "memory of the device that was not given back";
}

// The first engine's end is no end of what the process has loaded.
TEST_P(DeviceProcesses, OneGroupAfterAnother) {
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

INSTANTIATE_TEST_SUITE_P(Memory, DeviceProcesses, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "OfPeers" : "OfItsOwn"; });

}  // namespace
}  // namespace graft::ranks
