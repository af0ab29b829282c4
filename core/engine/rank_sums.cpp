#include "core/engine/rank_sums.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "core/base/status.h"
#include "core/containers/host_collectives.h"
#include "core/containers/nccl_collectives.h"
#include "core/containers/peer_collectives.h"
#include "core/containers/plugin_call.h"
#include "core/containers/staged_collectives.h"
#include "core/engine/step_exchange.h"

namespace graft {
namespace {

using Way = RankSums::Way;
using Peers = RankSums::Peers;

enum State : int64_t { on_cpu, without_nccl, with_nccl };

std::array<int64_t, 2> identity_of(const DeviceChoice& choice) {
  std::array<int64_t, 2> halves{};
  if (choice.is_cpu()) return halves;
  kernels::DeviceInfo info{};
  plugin_call(choice.plugin->device_info, "device " + choice.name, choice.index, &info);
  static_assert(sizeof halves == sizeof info.uuid);
  std::memcpy(halves.data(), info.uuid, sizeof halves);
  return halves;
}

// Of the gathered {state, identity, identity}; empty where nothing stands against NCCL.
std::string why_staged(const std::vector<std::vector<int64_t>>& all, int64_t rank, const std::string& own_problem) {
  for (size_t r = 0; r < all.size(); ++r) {
    if (all[r][0] == on_cpu) return fmt::format("rank {} is on the CPU", r);
    if (all[r][0] == with_nccl) continue;
    return static_cast<int64_t>(r) == rank ? own_problem : fmt::format("rank {} found no NCCL", r);
  }
  for (size_t r = 0; r < all.size(); ++r) {
    for (size_t s = 0; s < r; ++s) {
      if (all[r] == all[s]) return fmt::format("ranks {} and {} share a device", s, r);
    }
  }
  return "";
}

// Of the gathered {state, identity, identity}.
bool each_has_its_own_device(const std::vector<std::vector<int64_t>>& all) {
  for (size_t r = 0; r < all.size(); ++r) {
    if (all[r][0] == on_cpu) return false;
    for (size_t s = 0; s < r; ++s) {
      if (all[r][1] == all[s][1] && all[r][2] == all[s][2]) return false;
    }
  }
  return true;
}

// Whether every rank's device reaches those of the others; the same on every rank. A device that cannot be asked is not
// reached.
bool agree_on_reach(Communicator& ranks, const DeviceChoice& choice) {
  const auto devices = gather_values(ranks, {choice.index});
  std::vector<int64_t> reached = {1};
  for (const std::vector<int64_t>& device : devices) {
    bool one = false;
    const int32_t status = choice.plugin->reach(choice.index, static_cast<int32_t>(device[0]), &one, nullptr);
    if (status != kernels::plugin_ok || !one) reached[0] = 0;
  }
  agree_on_least(ranks, reached);
  return reached[0] == 1;
}

// Of this machine since it was started, in most containers too; 0 where it is not known.
std::array<int64_t, 2> identity_of_machine() {
  std::array<int64_t, 2> halves{};
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string digits;
  for (char c; digits.size() < 32 && file.get(c);) {
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
  }
  if (digits.size() < 32) return halves;
  for (size_t i = 0; i < 2; ++i) {
    halves[i] = static_cast<int64_t>(std::strtoull(digits.substr(16 * i, 16).c_str(), nullptr, 16));
  }
  return halves;
}

bool agree_on_machine(Communicator& ranks) {
  const auto [first, second] = identity_of_machine();
  const auto all = gather_values(ranks, {first, second});
  return (first != 0 || second != 0) && std::ranges::all_of(all, [&](const auto& other) { return other == all[0]; });
}

// A machine whose devices say that they reach each other, and do not, needs a way to be told.
bool is_switched_off() {
  const char* value = std::getenv("GRAFT_PEER_MEMORY");
  return value != nullptr && std::strcmp(value, "off") == 0;
}

Peers agree_on_peers(Communicator& ranks, const DeviceChoice& choice, int64_t ranks_here) {
  std::vector<int64_t> wanted = {is_switched_off() ? 0 : 1};
  agree_on_least(ranks, wanted);
  if (wanted[0] == 0) return Peers::none;
  if (ranks_here == ranks.size()) return agree_on_reach(ranks, choice) ? Peers::threads : Peers::none;
  return agree_on_machine(ranks) ? Peers::processes : Peers::none;
}

// `others`, or peer memory above it where that is to be had and adds up rightly, as `peers` says then.
std::unique_ptr<Collectives> with_peers(std::unique_ptr<Collectives> others, Peers& peers, Communicator& ranks,
                                        const PeerPlace& place, int64_t most_width, int64_t timeout_ms) {
  if (peers == Peers::none) return others;
  const auto make_areas = peers == Peers::threads ? make_thread_areas : make_process_areas;
  std::unique_ptr<PeerAreas> areas = make_areas(place, ranks, PeerCollectives::area_bytes(ranks.size(), most_width));
  if (areas != nullptr) {
    auto made =
        std::make_unique<PeerCollectives>(std::move(others), std::move(areas), ranks, place, most_width, timeout_ms);
    if (made->works()) return made;
    others = made->take_others();
    made->part();
  }
  peers = Peers::none;
  return others;
}

}  // namespace

const char* name_of(Way way) {
  switch (way) {
    case Way::none:
      break;
    case Way::host:
      return "host";
    case Way::staged:
      return "staged";
    case Way::nccl:
      return "nccl";
  }
  return "none";
}

std::string nccl_problem() {
  try {
    load_nccl();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

RankSums expected_sums(const DeviceChoice& choice, const RankPlace& place) {
  if (place.share.ranks == 1) return {};
  if (choice.is_cpu()) return {Way::host};
  if (choice.ranks_on_it > 1) return {Way::staged, "several ranks share a device"};
  std::string problem = nccl_problem();
  return {problem.empty() ? Way::nccl : Way::staged, problem};
}

RankSums agree_on_sums(Communicator& ranks, const DeviceChoice& choice, const std::string& problem,
                       int64_t ranks_here) {
  if (ranks.size() == 1) return {};
  const State state = choice.is_cpu() ? on_cpu : problem.empty() ? with_nccl : without_nccl;
  const auto [first, second] = identity_of(choice);
  const auto all = gather_values(ranks, {state, first, second});
  if (choice.is_cpu()) return {Way::host};
  const std::string reason = why_staged(all, ranks.rank(), problem);
  RankSums sums{reason.empty() ? Way::nccl : Way::staged, reason};
  if (ranks.size() <= kernels::most_exchange_ranks && each_has_its_own_device(all)) {
    sums.peers = agree_on_peers(ranks, choice, ranks_here);
  }
  return sums;
}

std::unique_ptr<Collectives> make_collectives(RankSums& sums, Communicator& ranks, const DeviceChoice& choice,
                                              Device& device, int64_t most_values, int64_t most_width,
                                              int64_t timeout_ms) {
  if (sums.way == Way::none || sums.way == Way::host) return std::make_unique<HostCollectives>(ranks);
  std::unique_ptr<Collectives> made;
  if (sums.way == Way::nccl) {
    const NcclCollectives::Place place{device, device.context(), [plugin = choice.plugin, index = choice.index] {
                                         plugin->make_current(index, nullptr);
                                       }};
    made = std::make_unique<NcclCollectives>(load_nccl(), ranks, timeout_ms, place, most_values);
  } else {
    made = std::make_unique<StagedCollectives>(ranks);
  }
  made = with_peers(std::move(made), sums.peers, ranks, {*choice.plugin, choice.index, device, device.context()},
                    most_width, timeout_ms);
  if (sums.devices_meet()) {
    device.wait_by([all = made.get()](const std::function<bool()>& done) { all->wait(done); });
  }
  return made;
}

}  // namespace graft
