// Ranks that are processes, over TCP. Free of LibTorch's headers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/parallel/communicator.h"

namespace graft {

/// Where a rank's group meets: a key-value store at address:port.
struct RankAddress {
  int64_t rank = 0;
  int64_t world = 1;
  std::string address;  // host name or number
  int64_t port = 0;
  bool agent_store = false;  // somebody else hosts the store (torchrun's agent); otherwise rank 0 does
  std::string prefix = {};   // of the keys: tells restarts of one agent's workers apart
  int64_t local_rank = -1;   // among the ranks of this machine; -1: not known
};

/// Reads RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, LOCAL_RANK or SLURM_LOCALID where one is set, and torchrun's
/// TORCHELASTIC_USE_AGENT_STORE and TORCHELASTIC_RESTART_COUNT. `variable` is like getenv: null where unset. None where
/// WORLD_SIZE and RANK are both unset. Errors: INVALID_ARGUMENT naming the variable.
std::optional<RankAddress> rank_address_from_environment(const std::function<const char*(const char*)>& variable);

/// Forms the group; returns when all ranks have come. `timeout_ms` bounds this and later each collective. The n-th
/// group that a rank makes at a store meets the n-th of its peers, failed tries included. A process that hosts a store
/// keeps it until it ends. Errors: INVALID_ARGUMENT, COMM_ERROR.
std::unique_ptr<Communicator> make_gloo_communicator(const RankAddress& where, int64_t timeout_ms);

}  // namespace graft
