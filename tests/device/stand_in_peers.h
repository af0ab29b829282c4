// Which sums of ranks over peer memory the stand-in's streams have come to.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "kernels/spec/sum_residual_norm.h"
#include "tests/device/stand_in_memory.h"

namespace graft::stand_in {

inline bool given_up(const kernels::PeerExchange& peers) {
  return std::atomic_ref<uint32_t>(const_cast<uint32_t&>(*peers.given_up)).load() != 0;
}

/// Counts by area, of which every rank has one; the count of an area that is shared with other processes lies beside
/// it. A rank is at most one sum ahead of another. Any thread.
class Arrivals {
 public:
  explicit Arrivals(const Memory& memory) : memory_(memory) {}

  void come(const kernels::PeerExchange& peers) {
    const std::lock_guard lock(mutex_);
    ++count_of(peers.areas[peers.rank]);
  }
  bool all_have_come(const kernels::PeerExchange& peers) {
    const std::lock_guard lock(mutex_);
    const int64_t own = count_of(peers.areas[peers.rank]);
    return std::all_of(peers.areas, peers.areas + peers.ranks, [&](void* area) { return count_of(area) >= own; });
  }

  /// An area that is given back: another may come to lie there.
  void forget(void* area) {
    const std::lock_guard lock(mutex_);
    counts_.erase(area);
  }

 private:
  std::atomic<int64_t>& count_of(void* area) {
    std::atomic<int64_t>* const beside = memory_.count_beside(area);
    return beside != nullptr ? *beside : counts_[area];
  }

  const Memory& memory_;
  std::mutex mutex_;
  std::map<void*, std::atomic<int64_t>> counts_;
};

}  // namespace graft::stand_in
