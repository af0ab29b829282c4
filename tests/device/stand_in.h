// What a test asks of the stand-in device, and what it sees of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace graft::stand_in {

/// Countdowns fail the n-th call from now, 0 never. Any thread.
struct Faults {
  std::atomic<int32_t> faulty = -1;      ///< the device whose calls count down, fail, are lost or hang; -1: any
  std::atomic<int64_t> allocations = 0;  ///< is out of memory, the device's or pinned; so may be who asks what is free
  std::atomic<int64_t> launches = 0;     ///< is told by the next wait
  std::atomic<int64_t> copies = 0;       ///< fails at once
  std::atomic<int64_t> captures = 0;     ///< fails when it ends
  std::atomic<int64_t> replays = 0;      ///< of graphs: fails at once
  std::atomic<int64_t> losses = 0;       ///< of waits: the device is lost from then on, until `lost` is cleared
  std::atomic<int64_t> launch_losses = 0;  ///< likewise of launches, of kernels and graphs
  std::atomic<bool> lost = false;          ///< whatever needs the device fails
  std::atomic<bool> hangs = false;         ///< a wait for a stream does not return
  std::atomic<int32_t> devices = 3;
  std::atomic<int32_t> too_old = -1;                     ///< the number of one that is
  std::atomic<bool> no_library = false;                  ///< for products is there, where kernels would use one
  std::atomic<bool> peers = true;                        ///< devices reach each other
  std::atomic<int32_t> absent = -1;                      ///< the device whose sums with peers never begin
  std::atomic<bool> wrong_sums = false;                  ///< what peers write does not arrive as it was
  std::atomic<int64_t> memory_bytes = int64_t{4} << 30;  ///< that each device has, and gives

  std::atomic<int64_t> graphs = 0;          ///< that are there now
  std::atomic<int64_t> events = 0;          ///< likewise
  std::atomic<int64_t> graph_launches = 0;  ///< so far
  std::atomic<int64_t> waits = 0;           ///< of the host for work
  std::atomic<int64_t> launches_ahead = 0;  ///< of these, onto a stream that still had a launch to do
  std::atomic<int64_t> peer_sums = 0;       ///< that devices have done with peers so far
  int64_t (*regions)() = nullptr;           ///< pieces of memory that were not given back
  /// Memory and streams that were given back while their thread's work waited, and memory given back twice or never
  /// had.
  std::atomic<int64_t> early_releases = 0, strange_releases = 0;
};

using GetFaults = Faults* (*)();
inline constexpr const char* get_faults_symbol = "stand_in_faults";

}  // namespace graft::stand_in
