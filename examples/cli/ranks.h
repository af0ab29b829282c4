// One rank per process: started by torchrun, SLURM or a Kubernetes operator, which set RANK, WORLD_SIZE, MASTER_ADDR
// and MASTER_PORT. Without WORLD_SIZE, or with 1, all ranks live in this process.
#pragma once

#include <graft/engine_options.h>

#include <cstdint>
#include <optional>
#include <string>

namespace cli {

struct LaunchedRanks {
  int64_t rank = 0;
  int64_t world = 1;
  std::string address;
  int64_t port = 0;

  bool several() const { return world > 1; }
  bool follows() const { return rank > 0; }  ///< rank 0 alone takes requests and prints
};

/// Read from the environment each time; throws UsageError naming a variable that is missing or makes no sense.
LaunchedRanks launched_ranks();

/// Tells the engine which rank this process is. tensor_parallel as given on the command line; absent = the world's
/// size.
void set_launched_rank(graft_engine_options* target, const std::optional<int64_t>& tensor_parallel);

}  // namespace cli
