// Which ranks of an engine live in this process, and how they reach the others.
#pragma once

#include <memory>

#include "core/engine/options.h"
#include "core/engine/rank_place.h"
#include "core/parallel/communicator.h"
#include "core/parallel/gloo.h"

namespace graft {

struct RankLayout {
  RankPlace place;                     ///< of the rank that the engine's own thread runs: 0, unless processes are ranks
  std::optional<RankAddress> address;  ///< of a group of processes; absent: all ranks are threads of this one
  int64_t timeout_ms = 0;

  bool follows() const { return place.share.rank > 0; }
};

/// From the options, or, where they ask for several ranks and name none, from RANK, WORLD_SIZE, MASTER_ADDR and
/// MASTER_PORT as torchrun, SLURM and Kubernetes operators set them. WORLD_SIZE absent or 1: all ranks are threads.
/// Throws INVALID_ARGUMENT where both disagree on how many ranks there are, or a variable is not understood.
RankLayout plan_ranks(const EngineOptions& options);

/// One communicator for each rank of this process, its own rank's first. Throws COMM_ERROR when the others do not come.
std::vector<std::unique_ptr<Communicator>> connect_ranks(const RankLayout& layout);

}  // namespace graft
