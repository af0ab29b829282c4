#include "bandwidth.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace cli {
namespace {

constexpr int passes = 8;

std::atomic<uint64_t> sink;  // keeps the compiler from dropping the reads

/// Eight independent sums, so that the loop waits for memory and not for the previous addition.
uint64_t read_all(const uint64_t* data, int64_t count) {
  uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  for (const uint64_t *at = data, *end = data + count / 8 * 8; at != end; at += 8) {
    a += at[0], b += at[1], c += at[2], d += at[3], e += at[4], f += at[5], g += at[6], h += at[7];
  }
  return a + b + c + d + e + f + g + h;
}

/// At least 256 MiB, and twice the last-level cache where that is larger.
int64_t buffer_bytes() {
  constexpr int64_t least = int64_t{256} << 20, most = int64_t{1} << 30;
  const int64_t cache = std::max<int64_t>(sysconf(_SC_LEVEL3_CACHE_SIZE), 0);
  return std::clamp(2 * cache, least, most);
}

}  // namespace

double measure_read_bandwidth(int64_t threads) {
  using Clock = std::chrono::steady_clock;
  const int64_t workers = std::clamp<int64_t>(threads, 1, 1024);
  const int64_t words = buffer_bytes() / 8 / workers;  // of each worker
  const std::unique_ptr<uint64_t[]> buffer(new (std::nothrow) uint64_t[static_cast<size_t>(words * workers)]);
  if (!buffer) return 0;
  double best_seconds = 1e9;
  Clock::time_point start;
  // Runs once between two passes, when all have arrived: the first time after filling, then after each pass.
  const auto on_arrival = [&]() noexcept {
    const auto now = Clock::now();
    if (start != Clock::time_point()) {
      best_seconds = std::min(best_seconds, std::chrono::duration<double>(now - start).count());
    }
    start = now;
  };
  std::barrier arrival(workers, on_arrival);
  const auto work = [&](int64_t worker) {
    uint64_t* data = buffer.get() + worker * words;
    std::fill(data, data + words, static_cast<uint64_t>(worker) + 1);  // pages lie near the thread that touches them
    arrival.arrive_and_wait();
    for (int pass = 0; pass < passes; ++pass) {
      sink += read_all(data, words);
      arrival.arrive_and_wait();
    }
  };
  std::vector<std::jthread> others;
  for (int64_t worker = 1; worker < workers; ++worker) others.emplace_back(work, worker);
  work(0);
  return static_cast<double>(words * workers * 8) / best_seconds;
}

}  // namespace cli
