// Which way ranks take to add up: all of a group the same one, with the reason where it is not NCCL.
#include "core/engine/rank_sums.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace graft {
namespace {

using Way = RankSums::Way;

kernels::DevicePlugin devices() {
  kernels::DevicePlugin plugin{};
  plugin.device_info = [](int32_t device, kernels::DeviceInfo* out, kernels::PluginError*) {
    *out = {};
    out->uuid[15] = static_cast<uint8_t>(0xf0 + device);
    return int32_t{kernels::plugin_ok};
  };
  return plugin;
}

// A rank's device, -1 the CPU; what each rank decides.
std::vector<RankSums> decide(const std::vector<int32_t>& placed, const std::string& problem = "") {
  static const kernels::DevicePlugin plugin = devices();
  auto group = make_thread_communicators(static_cast<int64_t>(placed.size()), 20000);
  std::vector<RankSums> decided(placed.size());
  std::vector<std::thread> threads;
  for (size_t r = 0; r < placed.size(); ++r) {
    threads.emplace_back([&, r] {
      DeviceChoice choice;
      if (placed[r] >= 0) choice = {"cuda", &plugin, placed[r]};
      decided[r] = agree_on_sums(*group[r], choice, problem);
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
