// Which way ranks take to add up: all of a group the same one, with the reason where it is not NCCL.
#include "core/engine/rank_sums.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace graft {
namespace {

using Way = RankSums::Way;
using Peers = RankSums::Peers;

// Which pairs of devices (device, peer) do not reach each other; whom reaching fails for.
std::set<std::pair<int32_t, int32_t>> apart;
int32_t broken = -1;

kernels::DevicePlugin devices() {
  kernels::DevicePlugin plugin{};
  plugin.device_info = [](int32_t device, kernels::DeviceInfo* out, kernels::PluginError*) {
    *out = {};
    out->uuid[15] = static_cast<uint8_t>(0xf0 + device);
    return int32_t{kernels::plugin_ok};
  };
  plugin.reach = [](int32_t device, int32_t peer, bool* out, kernels::PluginError*) {
    *out = !apart.contains({device, peer});
    return int32_t{device == broken ? kernels::plugin_failed : kernels::plugin_ok};
  };
  return plugin;
}

// A rank's device, -1 the CPU; what each rank decides.
std::vector<RankSums> decide(const std::vector<int32_t>& placed, const std::string& problem = "",
                             int64_t ranks_here = 1) {
  static const kernels::DevicePlugin plugin = devices();
  auto group = make_thread_communicators(static_cast<int64_t>(placed.size()), 20000);
  std::vector<RankSums> decided(placed.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < placed.size(); ++r) {
    threads.emplace_back([&, r] {
      DeviceChoice choice;
      if (placed[r] >= 0) choice = {"cuda", &plugin, placed[r]};
      decided[r] = agree_on_sums(*group[r], choice, problem, ranks_here);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return decided;
}

TEST(RankSums, WithoutNcclDevicesGoThroughTheHost) {
  const std::vector<RankSums> sums = decide({0, 1}, "no NCCL");
  EXPECT_EQ(sums[0].way, Way::staged);
  EXPECT_EQ(sums[1].way, Way::staged);
  EXPECT_EQ(sums[0].reason, "no NCCL");
  EXPECT_EQ(sums[1].reason, "rank 0 found no NCCL");
}

TEST(RankSums, NcclIsForRanksWithADeviceEach) {
  for (const RankSums& sums : decide({2, 0, 1})) {
    EXPECT_EQ(sums.way, Way::nccl);
    EXPECT_EQ(sums.reason, "");
  }
  for (const RankSums& sums : decide({0, 1, 0})) {
    EXPECT_EQ(sums.way, Way::staged);
    EXPECT_EQ(sums.reason, "ranks 0 and 2 share a device");
  }
  const std::vector<RankSums> mixed = decide({0, -1});
  EXPECT_EQ(mixed[0].way, Way::staged);
  EXPECT_EQ(mixed[0].reason, "rank 1 is on the CPU");
  EXPECT_EQ(mixed[1].way, Way::host);
  for (const RankSums& sums : decide({-1, -1})) EXPECT_EQ(sums.way, Way::host);
  EXPECT_EQ(decide({0})[0].way, Way::none);
}

TEST(RankSums, PeersHaveADeviceEachThatReachesTheOthers) {
  const auto peers = [](const std::vector<int32_t>& placed, int64_t ranks_here, const std::string& problem = "") {
    const std::vector<RankSums> sums = decide(placed, problem, ranks_here);
    for (const RankSums& one : sums) EXPECT_EQ(one.peers, sums[0].peers) << "ranks that do not agree";
    return sums[0].peers;
  };
  EXPECT_EQ(peers({2, 0, 1}, 3), Peers::threads);
  EXPECT_EQ(peers({0, 1}, 2, "no NCCL"), Peers::threads) << "NCCL has no part in it";
  EXPECT_EQ(peers({2, 0, 1}, 1), Peers::processes) << "of one machine; they will see whether they reach each other";
  EXPECT_EQ(peers({0, 1, 0}, 1), Peers::none);
  EXPECT_EQ(peers({0, 1, 0}, 3), Peers::none) << "kernels of one device that wait for each other";
  EXPECT_EQ(peers({0, -1}, 2), Peers::none);
  EXPECT_EQ(peers({-1, -1}, 2), Peers::none);
  EXPECT_EQ(peers({0, 1, 2, 3, 4, 5, 6, 7}, 8), Peers::threads);
  EXPECT_EQ(peers({0, 1, 2, 3, 4, 5, 6, 7, 8}, 9), Peers::none);
  for (const int64_t ranks_here : {1, 2}) {
    setenv("GRAFT_PEER_MEMORY", "off", 1);
    EXPECT_EQ(peers({0, 1}, ranks_here), Peers::none);
    unsetenv("GRAFT_PEER_MEMORY");
  }
  apart = {{2, 0}};
  EXPECT_EQ(peers({0, 1}, 2), Peers::threads);
  EXPECT_EQ(peers({0, 1, 2}, 3), Peers::none) << "one way alone is not enough";
  apart = {};
  broken = 1;
  EXPECT_EQ(peers({0, 1, 2}, 3), Peers::none) << "whoever cannot be asked is not reached";
  broken = -1;
}

TEST(RankSums, IsExpectedBeforeRanksMeet) {
  static const kernels::DevicePlugin plugin = devices();
  DeviceChoice cpu, device{"cuda", &plugin, 0}, shared{"cuda", &plugin, 0, 2};
  RankPlace alone, pair;
  pair.share.ranks = pair.ranks_here = 2;
  EXPECT_EQ(expected_sums(device, alone).way, Way::none);
  EXPECT_EQ(expected_sums(cpu, pair).way, Way::host);
  EXPECT_EQ(expected_sums(shared, pair).way, Way::staged);
  EXPECT_EQ(expected_sums(shared, pair).reason, "several ranks share a device");
  EXPECT_EQ(expected_sums(device, pair).way, nccl_problem().empty() ? Way::nccl : Way::staged);
}

}  // namespace
}  // namespace graft
