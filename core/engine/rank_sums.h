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

  /// Device memory to leave free for it: NCCL allocates when ranks meet. An upper estimate, not measured.
  int64_t device_bytes() const { return way == Way::nccl ? int64_t{1} << 30 : 0; }
};

/// "none", "host", "staged", "nccl".
const char* name_of(RankSums::Way way);

/// Why this process has no NCCL; empty where it has. Loads it.
std::string nccl_problem();

/// What this process knows before it meets the others, which is all where all ranks live in it.
RankSums expected_sums(const DeviceChoice& choice, const RankPlace& place);

/// The same way on every rank that has a device: NCCL where each has one of its own, in whatever process, and NCCL is
/// there: `problem` says why it is not here, or is empty. Every rank calls it. Throws COMM_ERROR, DEVICE_ERROR.
RankSums agree_on_sums(Communicator& ranks, const DeviceChoice& choice, const std::string& problem);

/// This rank's end of the way. From here on `device` waits for its work no longer than `timeout_ms` where peers have a
/// part in it. All references outlive what is returned. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
std::unique_ptr<Collectives> make_collectives(const RankSums& sums, Communicator& ranks, Device& device,
                                              int64_t timeout_ms);

}  // namespace graft
