// The ranks of a group as threads of a test.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/parallel/communicator.h"

namespace graft {

/// `run` with each rank's end, on a thread of its own.
inline void on_ranks(int64_t ranks, const std::function<void(Communicator&)>& run, int64_t timeout_ms = 20'000) {
  auto group = make_thread_communicators(ranks, timeout_ms);
  std::vector<std::thread> threads;
  for (std::unique_ptr<Communicator>& end : group) {
    threads.emplace_back([&run, own = std::move(end)] { run(*own); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace graft
