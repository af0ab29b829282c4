#include "core/base/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "core/base/status.h"

// Counts every allocation of the process, to show that a run makes none.
namespace {
std::atomic<int64_t> allocations{0};
}
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace graft {
namespace {

/// Plain counters: a task run twice, or a missing happens-before, shows as a wrong count or as a report of the
/// sanitizer.
struct Counts {
  explicit Counts(size_t tasks, int32_t worker_count) : times(tasks), workers(worker_count) {}
  std::vector<int32_t> times;
  int32_t workers;
  std::atomic<int64_t> wrong_worker{0};

  static void body(void* context, int64_t task, int32_t worker) {
    auto* self = static_cast<Counts*>(context);
    ++self->times[static_cast<size_t>(task)];
    if (worker < 0 || worker >= self->workers) self->wrong_worker.fetch_add(1);
  }
};

void run_many(int32_t workers, int64_t runs) {
  ThreadPool pool(workers);
  const kernels::ParallelFor parallel = pool.parallel_for();
  ASSERT_EQ(parallel.workers, workers);
  constexpr int64_t largest = 13;
  Counts counts(largest, workers);
  std::vector<int32_t> expected(largest, 0);
  for (int64_t run = 0; run < runs; ++run) {
    const int64_t tasks = run % (largest + 1);  // 0, 1, odd and even, fewer and more than workers
    parallel.run(parallel.pool, tasks, &counts, Counts::body);
    for (int64_t task = 0; task < tasks; ++task) ++expected[static_cast<size_t>(task)];
    if (run % 1000 == 0) {
      ASSERT_EQ(counts.times, expected) << "after run " << run;
    }
  }
  EXPECT_EQ(counts.times, expected);
  EXPECT_EQ(counts.wrong_worker, 0);
}

TEST(ThreadPoolTest, EveryTaskOnceInTinyRunsWith1Worker) { run_many(1, 1000); }
TEST(ThreadPoolTest, EveryTaskOnceIn100000TinyRunsWith2Workers) { run_many(2, 100'000); }
TEST(ThreadPoolTest, EveryTaskOnceIn100000TinyRunsWith3Workers) { run_many(3, 100'000); }
TEST(ThreadPoolTest, EveryTaskOnceIn100000TinyRunsWith4Workers) { run_many(4, 100'000); }

TEST(ThreadPoolTest, WorkersWakeAfterParking) {
  ThreadPool pool(3);
  Counts counts(101, 3);
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // long enough for every worker to park
    pool.run(101, &counts, Counts::body);
  }
  EXPECT_EQ(counts.times, std::vector<int32_t>(101, 20));
}

TEST(ThreadPoolTest, AllWorkersTakePart) {
  // Each body holds its worker until all three have arrived; only three threads at work at once can finish this.
  struct Meeting {
    std::mutex mutex;
    std::condition_variable all_here;
    std::vector<int> arrived = {0, 0, 0};
    bool timed_out = false;
  } meeting;
  ThreadPool pool(3);
  pool.run(3, &meeting, [](void* context, int64_t, int32_t worker) {
    auto* self = static_cast<Meeting*>(context);
    std::unique_lock lock(self->mutex);
    self->arrived[static_cast<size_t>(worker)] = 1;
    self->all_here.notify_all();
    const auto complete = [&] { return self->arrived == std::vector<int>{1, 1, 1}; };
    if (!self->all_here.wait_for(lock, std::chrono::seconds(20), complete)) self->timed_out = true;
  });
  EXPECT_FALSE(meeting.timed_out);
}

TEST(ThreadPoolTest, CallerParksUntilASlowWorkerHasFinished) {
  struct Slow {
    std::atomic<int> started{0};
    std::atomic<int> finished{0};
  };
  ThreadPool pool(2);
  for (int i = 0; i < 10; ++i) {
    Slow slow;
    // Each body waits for the other, so the second worker is sure to have one of them; then it dawdles.
    pool.run(2, &slow, [](void* context, int64_t, int32_t worker) {
      auto* self = static_cast<Slow*>(context);
      self->started.fetch_add(1);
      while (self->started.load() < 2) std::this_thread::yield();
      if (worker != 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      self->finished.fetch_add(1);
    });
    ASSERT_EQ(slow.finished, 2);
  }
}

TEST(ThreadPoolTest, ResultsOfBodiesAreVisibleToTheCaller) {
  ThreadPool pool(4);
  std::vector<int64_t> squares(1001);
  for (int round = 0; round < 50; ++round) {
    std::fill(squares.begin(), squares.end(), -1);
    pool.run(1001, &squares, [](void* context, int64_t task, int32_t) {
      (*static_cast<std::vector<int64_t>*>(context))[static_cast<size_t>(task)] = task * task;
    });
    for (int64_t i = 0; i < 1001; ++i) ASSERT_EQ(squares[static_cast<size_t>(i)], i * i);
  }
}

TEST(ThreadPoolTest, RunsMayComeFromDifferentThreadsInTurn) {
  ThreadPool pool(3);
  Counts counts(7, 3);
  for (int i = 0; i < 20; ++i) std::thread([&] { pool.run(7, &counts, Counts::body); }).join();
  EXPECT_EQ(counts.times, std::vector<int32_t>(7, 20));
}

TEST(ThreadPoolTest, TwoPoolsDoNotDisturbEachOther) {
  std::thread other([] { run_many(2, 3000); });
  run_many(3, 3000);
  other.join();
}

TEST(ThreadPoolTest, ARunDoesNotAllocate) {
  ThreadPool pool(3);
  Counts counts(5, 3);
  pool.run(5, &counts, Counts::body);
  const int64_t before = allocations.load();
  for (int i = 0; i < 100; ++i) pool.run(5, &counts, Counts::body);
  EXPECT_EQ(allocations.load(), before);
}

TEST(ThreadPoolTest, CreatedAndDestroyedManyTimes) {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(1 + i % 4);
    Counts counts(3, pool.workers());
    if (i % 2 == 0) pool.run(3, &counts, Counts::body);
  }
}

TEST(ThreadPoolTest, WorkersLeaveSignalsToTheHost) {
  ThreadPool pool(2);
  struct Masks {
    std::atomic<int> seen{0};
    std::atomic<int> blocked{0};
  } masks;
  // Both tasks wait for each other, so that the second worker is sure to take one.
  pool.run(2, &masks, [](void* context, int64_t, int32_t worker) {
    auto* self = static_cast<Masks*>(context);
    if (worker == 1) {
      sigset_t mask;
      pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      self->blocked =
          sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGSEGV) == 0;
    }
    self->seen.fetch_add(1);
    while (self->seen.load() < 2) std::this_thread::yield();
  });
  EXPECT_EQ(masks.blocked, 1);
  sigset_t own;
  pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGINT), 0);
}

TEST(ThreadPoolTest, WorkerCountsOutOfRangeAreRefused) {
  for (const int32_t workers : {-1, 0, 1025}) {
    try {
      ThreadPool pool(workers);
      FAIL() << workers << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(std::to_string(workers)), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace graft
