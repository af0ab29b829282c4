// What a test asks of the stand-in for NCCL, and what it sees of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace graft::stand_in {

/// Any thread.
struct NcclFaults {
  std::atomic<int64_t> absent = -1;      ///< the rank whose sums never begin on its device; -1: none
  std::atomic<int32_t> async_error = 0;  ///< what every communicator tells from now on
  std::atomic<int64_t> failing = -1;     ///< the rank whose sums cannot be launched; -1: none
  std::atomic<bool> aborts_hang = false;

  std::atomic<int64_t> communicators = 0;  ///< that were not aborted
  std::atomic<int64_t> aborts = 0;         ///< that began so far
  std::atomic<int64_t> recorded = 0;       ///< sums that went into a capture
  std::atomic<int64_t> enqueued = 0;       ///< sums given to a stream outside of one
  std::atomic<int64_t> done = 0;           ///< sums that a rank's device has done, captured or not
};

using GetNcclFaults = NcclFaults* (*)();
inline constexpr const char* get_nccl_faults_symbol = "stand_in_nccl_faults";

}  // namespace graft::stand_in
