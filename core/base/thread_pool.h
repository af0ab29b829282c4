// The kernel pool: a fixed set of workers that share the tasks of one run at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "kernels/spec/context.h"

namespace graft {

/// `workers` includes the thread that calls run, which takes part as worker 0; the pool starts workers - 1 threads.
/// They spin for under a microsecond after a run and then park, so an idle pool costs nothing. Tasks are claimed one by
/// one from an atomic counter; a run neither allocates nor throws, and does not wait for workers that claimed nothing.
///
/// Thread rule: neither copied nor moved; run() from one thread at a time, which may change between runs, and never
/// from inside a body. Each engine owns its own pools.
class ThreadPool {
 public:
  /// Starts the threads. Throws INVALID_ARGUMENT unless 1 <= workers <= 1024, LIMIT_EXCEEDED when the system refuses
  /// one.
  explicit ThreadPool(int32_t workers);
  /// Joins the threads. No run may be under way.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int32_t workers() const noexcept { return static_cast<int32_t>(threads_.size()) + 1; }

  /// Calls body(body_context, task, worker) once for each task in [0, tasks) and returns when all have finished; what
  /// the bodies wrote is visible to the caller then. Bodies must not throw, block, or call run.
  void run(int64_t tasks, void* body_context, void (*body)(void* body_context, int64_t task, int32_t worker)) noexcept;

  /// The pool as kernels see it; valid as long as the pool.
  kernels::ParallelFor parallel_for() noexcept;

 private:
  void worker_loop(int32_t worker) noexcept;
  int64_t claim_and_run(int32_t worker) noexcept;
  void wait_for_others() noexcept;
  void stop() noexcept;

  // The job. Written by run() before it opens `unclaimed_`, read only by those who claimed a task, so it needs no
  // atomics.
  int64_t tasks_ = 0;
  void* body_context_ = nullptr;
  void (*body_)(void*, int64_t, int32_t) = nullptr;

  // One cache line each: claims, completion and wake-ups must not disturb one another.
  alignas(64) std::atomic<int64_t> unclaimed_{0};   ///< tasks nobody has taken; zero or below: none
  alignas(64) std::atomic<int64_t> unfinished_{0};  ///< tasks not yet accounted for as done
  alignas(64) std::atomic<uint32_t> caller_parked_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};  ///< goes up with every run; parked workers sleep on it
  std::atomic<int32_t> parked_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace graft
