// Which sums of ranks over peer memory the stand-in's streams have come to.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "kernels/spec/sum_residual_norm.h"

namespace graft::stand_in {

inline bool given_up(const kernels::PeerExchange& peers) {
  return std::atomic_ref<uint32_t>(const_cast<uint32_t&>(*peers.given_up)).load() != 0;
}

/// Counts by area, of which every rank has one. A rank is at most one sum ahead of another. Any thread.
class Arrivals {
 public:
  void come(const kernels::PeerExchange& peers) {
    const std::lock_guard lock(mutex_);
    ++counts_[peers.areas[peers.rank]];
  }
  bool all_have_come(const kernels::PeerExchange& peers) {
    const std::lock_guard lock(mutex_);
    const int64_t own = counts_[peers.areas[peers.rank]];
    return std::all_of(peers.areas, peers.areas + peers.ranks, [&](void* area) { return counts_[area] >= own; });
  }

  /// An area that is given back: another may come to lie there.
  void forget(void* area) {
    const std::lock_guard lock(mutex_);
    counts_.erase(area);
  }

 private:
  std::mutex mutex_;
  std::map<void*, int64_t> counts_;
};

/// Never destroyed: engines may end while the process does.
inline Arrivals& arrivals() {
  static auto* const once = new Arrivals;
  return *once;
}

}  // namespace graft::stand_in
