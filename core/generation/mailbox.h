// What an engine's handle and its thread share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/status.h"
#include "core/engine/profiler.h"
#include "core/generation/check_request.h"
#include "core/generation/engine.h"

namespace graft {

struct Engine::Mailbox {
  // Fixed by the thread before it is ready; read by anyone afterwards.
  ServiceLimits limits;
  std::string sums_of_ranks, graph;  ///< of graft_engine_info, as agreed with the other ranks
  int64_t max_queue = 0;
  bool follows = false;  ///< another process has rank 0

  std::thread::id thread;

  std::mutex mutex;
  std::condition_variable changed;  ///< for the thread: inbox, stop, wake; for waiters: ready, progress, ended
  bool ready = false;
  bool stop = false;
  bool woken = false;
  bool ended = false;
  double load_progress = 0;
  bool give_up = false;
  StatusCode failure = StatusCode::ok;
  std::string failure_message;
  std::vector<std::shared_ptr<RequestState>> inbox;

  Profiler profiler;  ///< has a lock of its own

  // Counters of stats_json.
  std::atomic<int64_t> waiting{0};  ///< taken by the thread and not yet admitted
  std::atomic<int64_t> running{0};
  std::atomic<int64_t> submitted{0};
  std::atomic<int64_t> steps{0};
  std::atomic<int64_t> tokens{0};
  std::atomic<int64_t> step_nanoseconds{0};

  [[noreturn]] static void fail_given_up() { fail(StatusCode::cancelled, "the load was given up"); }

  void post_stop() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
  }
};

}  // namespace graft
