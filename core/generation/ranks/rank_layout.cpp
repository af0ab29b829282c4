#include "core/generation/ranks/rank_layout.h"

#include <cstdlib>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr int64_t most_ranks_here = 256;

std::optional<RankAddress> address_of(const EngineOptions& options) {
  const RankOptions& rank = options.rank;
  if (rank.rank < 0 && options.tensor_parallel == 1) return std::nullopt;
  const auto variable = [](const char* name) { return std::getenv(name); };
  if (rank.rank < 0) return rank_address_from_environment(variable);
  RankAddress address;
  address.rank = rank.rank;
  address.world = rank.world;
  address.address = rank.address;
  address.port = rank.port;
  // A caller may have passed on what torchrun gave it; whose the store is stands in the environment alone.
  if (std::getenv("TORCHELASTIC_USE_AGENT_STORE") == nullptr) return address;
  const std::optional<RankAddress> launched = rank_address_from_environment(variable);
  return launched && launched->address == address.address && launched->port == address.port ? launched : address;
}

}  // namespace

RankLayout plan_ranks(const EngineOptions& options) {
  RankLayout layout;
  layout.timeout_ms = options.rank.timeout();
  layout.place.share = {0, options.tensor_parallel, options.tensor_parallel_grain};
  layout.address = address_of(options);
  if (layout.address && layout.address->world <= 1) layout.address.reset();
  if (!layout.address) {
    layout.place.ranks_here = options.tensor_parallel;
    if (options.tensor_parallel > most_ranks_here) {
      fail(StatusCode::invalid_argument, "tensor_parallel is {}, expected at most {} ranks in one process",
           options.tensor_parallel, most_ranks_here);
    }
    return layout;
  }
  const RankAddress& address = *layout.address;
  if (options.tensor_parallel > 1 && options.tensor_parallel != address.world) {
    fail(StatusCode::invalid_argument, "tensor_parallel is {}, but there are {} processes ({})",
         options.tensor_parallel, address.world, options.rank.rank < 0 ? "WORLD_SIZE" : "world");
  }
  layout.place.share.rank = address.rank;
  layout.place.share.ranks = address.world;
  layout.place.local_rank = address.local_rank >= 0 ? address.local_rank : address.rank;
  return layout;
}

std::vector<std::unique_ptr<Communicator>> connect_ranks(const RankLayout& layout) {
  if (layout.place.ranks_here > 1) return make_thread_communicators(layout.place.ranks_here, layout.timeout_ms);
  std::vector<std::unique_ptr<Communicator>> ranks;
  ranks.push_back(layout.address ? make_gloo_communicator(*layout.address, layout.timeout_ms)
                                 : make_single_communicator());
  return ranks;
}

}  // namespace graft
