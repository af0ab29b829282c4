// How the ranks of a group add up what each computed: a way that all of them have, agreed on before weights are loaded.
#pragma once

#include <memory>
#include <string>

#include "core/containers/collectives.h"
#include "core/engine/device.h"
#include "core/engine/device_choice.h"
#include "core/engine/rank_place.h"
#include "core/parallel/communicator.h"

namespace graft {

struct RankSums {
  enum class Way {
    none,    ///< one rank
    host,    ///< the ranks are on the CPU
    staged,  ///< devices, by way of the host
    nccl     ///< a device each, on its stream
  };
  Way way = Way::none;
  std::string reason = {};  ///< why devices take the way through the host, else empty
  /// Whether small sums of devices go through the memory of the others instead, and what those ranks are.
  enum class Peers { none, threads, processes };
  Peers peers = Peers::none;

  /// Whether a rank's device waits for the others' by itself.
  bool devices_meet() const { return way == Way::nccl || peers != Peers::none; }

  /// Device memory to leave free for it: NCCL allocates when ranks meet. An upper estimate, not measured.
  int64_t device_bytes() const { return way == Way::nccl ? int64_t{1} << 30 : 0; }
};

/// "none", "host", "staged", "nccl".
const char* name_of(RankSums::Way way);

/// Why this process has no NCCL; empty where it has. Loads it.
std::string nccl_problem();

/// What this process knows before it meets the others: not whether devices reach each other.
RankSums expected_sums(const DeviceChoice& choice, const RankPlace& place);

/// The same way on every rank that has a device: NCCL where each has one of its own, in whatever process, and NCCL is
/// there: `problem` says why it is not here, or is empty. Small sums go through peer memory where each rank has a
/// device of its own that reaches all others, and they are threads of this process (`ranks_here` of them are) or
/// processes of one machine, whose reach is only known when they try. Ranks that share a device do not: their kernels
/// would wait for each other, and nothing promises that they run at the same time. Every rank calls it. Throws
/// COMM_ERROR, DEVICE_ERROR.
RankSums agree_on_sums(Communicator& ranks, const DeviceChoice& choice, const std::string& problem,
                       int64_t ranks_here = 1);

/// This rank's end of the way. From here on `device`, which is that of `choice`, waits for its work no longer than
/// `timeout_ms` where peers have a part in it. Where peer memory turns out to give wrong sums, or is not to be had,
/// `sums` no longer says that it is used. `most_values`: of any sum; `most_width`: of its rows, but for logits. All
/// references outlive what is returned. Every rank calls it. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
std::unique_ptr<Collectives> make_collectives(RankSums& sums, Communicator& ranks, const DeviceChoice& choice,
                                              Device& device, int64_t most_values, int64_t most_width,
                                              int64_t timeout_ms);

}  // namespace graft
