// Ranks that are threads of one process. Every rank copies what it gives into a buffer of the group, not of the caller:
// a rank that leaves with an error may free its own memory while its peers still read.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "core/base/status.h"
#include "core/parallel/communicator.h"

namespace graft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t max_timeout_ms = int64_t{1} << 40;
constexpr int64_t max_ranks = 4096;
constexpr int spins = 16;                   // some hundred nanoseconds; then the core is somebody else's
constexpr int64_t shared_work_from = 8192;  // floats from which a second barrier is cheaper than reducing everything
constexpr int64_t block = 256;              // floats summed at a time, on the stack

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// What one rank shows its peers. Two buffers in turn: a collective's barrier also proves that the readers of the
/// collective before it are done, so that the one after it may write.
struct Shown {
  std::vector<float> floats;
  const char* what = "";
  int64_t size = 0;   // of the collective, in its unit, to catch ranks that disagree
  int64_t given = 0;  // floats by this rank
};

struct alignas(64) Slot {
  std::array<Shown, 2> shown;
  std::atomic<uint64_t> arrivals{0};  // barriers this rank came to: names the one that is missing
};

class ThreadGroup {
 public:
  ThreadGroup(int64_t ranks, int64_t timeout_ms) : timeout_ms_(timeout_ms), slots_(static_cast<size_t>(ranks)) {}

  int64_t size() const { return static_cast<int64_t>(slots_.size()); }
  int64_t timeout_ms() const { return timeout_ms_; }
  Slot& slot(int64_t rank) { return slots_[static_cast<size_t>(rank)]; }

  /// Returns when all ranks have come. Throws when the group is, or becomes, broken.
  void barrier(int64_t rank, const char* what, Clock::time_point deadline) {
    throw_if_broken();
    const uint64_t phase = phase_.load(std::memory_order_acquire);
    const uint64_t mine = slot(rank).arrivals.fetch_add(1, std::memory_order_relaxed) + 1;
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size()) {
      arrived_.store(0, std::memory_order_relaxed);
      {
        const std::lock_guard lock(mutex_);
        phase_.store(phase + 1, std::memory_order_release);
      }
      changed_.notify_all();
      return;
    }
    for (int spin = 0; spin < spins; ++spin) {
      if (phase_.load(std::memory_order_acquire) != phase) {
        return;
      }
      relax();
    }
    std::unique_lock lock(mutex_);
    const auto released = [&] { return phase_.load(std::memory_order_acquire) != phase; };
    while (!released()) {
      if (broken_.load(std::memory_order_relaxed)) {
        const std::string reason = reason_;
        lock.unlock();
        throw Error(StatusCode::comm_error, reason);
      }
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout && !released() && !broken_) {
        lock.unlock();
        break_up(fmt::format("thread group: rank {} waited {} ms in {} for rank {}", rank, timeout_ms_, what,
                             missing(mine)));
        lock.lock();
      }
    }
  }

  /// The first reason stays.
  void break_up(std::string reason) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (broken_) {
        return;
      }
      reason_ = std::move(reason);
      broken_ = true;
    }
    changed_.notify_all();
  }

  void throw_if_broken() {
    if (broken_) {
      std::string reason;
      {
        const std::lock_guard lock(mutex_);
        reason = reason_;
      }
      throw Error(StatusCode::comm_error, std::move(reason));
    }
  }

 private:
  std::string missing(uint64_t arrivals) {
    std::string ranks;
    for (int64_t rank = 0; rank < size(); ++rank) {
      if (slot(rank).arrivals.load(std::memory_order_relaxed) < arrivals) {
        ranks += ranks.empty() ? fmt::format("{}", rank) : fmt::format(", {}", rank);
      }
    }
    return ranks;
  }

  const int64_t timeout_ms_;
  std::vector<Slot> slots_;
  alignas(64) std::atomic<uint64_t> phase_{0};
  alignas(64) std::atomic<int64_t> arrived_{0};
  std::mutex mutex_;  // for sleepers and reason_
  std::condition_variable changed_;
  std::atomic<bool> broken_{false};
  std::string reason_;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<ThreadGroup> group, int64_t rank) : group_(std::move(group)), rank_(rank) {}
  ~ThreadCommunicator() override { give_up("left the group"); }

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return group_->size(); }

  void all_reduce(float* data, int64_t count) override {
    const auto deadline = show("all_reduce", count, data, count);
    meet(deadline);
    if (count < shared_work_from) {
      reduce(data, 0, count);
      return;
    }
    // Each rank reduces one slice, in place in its own buffer: nobody else reads that slice before the second barrier.
    const int64_t slice = (count + size() - 1) / size();
    const auto begin_of = [&](int64_t rank) { return std::min(count, rank * slice); };
    reduce(buffer_of(rank_), begin_of(rank_), begin_of(rank_ + 1));
    group_->barrier(rank_, "all_reduce", deadline);
    for (int64_t peer = 0; peer < size(); ++peer) {
      const int64_t begin = begin_of(peer);
      copy(data + begin, buffer_of(peer) + begin, begin_of(peer + 1) - begin);
    }
  }

  void all_gather(const float* mine, const int64_t* counts, float* all) override {
    int64_t total = 0;
    for (int64_t peer = 0; peer < size(); ++peer) {
      check_size("all_gather", counts[peer]);
      total += counts[peer];
    }
    meet(show("all_gather", total, mine, counts[rank_]));
    for (int64_t peer = 0; peer < size(); ++peer) {
      if (shown(peer).given != counts[peer]) {
        give_up("found other counts in all_gather than a peer");
        group_->throw_if_broken();
      }
      copy(all, buffer_of(peer), counts[peer]);
      all += counts[peer];
    }
  }

  void broadcast(void* data, int64_t bytes) override {
    check_size("broadcast", bytes);
    const auto deadline = show("broadcast", bytes, nullptr, 0);
    if (rank_ == 0 && bytes > 0) {
      std::memcpy(grown((bytes + 3) / 4), data, static_cast<size_t>(bytes));
    }
    meet(deadline);
    if (rank_ != 0 && bytes > 0) {
      std::memcpy(data, buffer_of(0), static_cast<size_t>(bytes));
    }
  }

  void check() override { group_->throw_if_broken(); }

  void abort() noexcept override { give_up("aborted the group"); }

 private:
  void give_up(const char* how) noexcept {
    try {
      group_->break_up(fmt::format("thread group: rank {} {}", rank_, how));
    } catch (...) {
      group_->break_up({});  // no memory for a reason
    }
  }

  void check_size(const char* what, int64_t size) const {
    if (size < 0) {
      fail(StatusCode::invalid_argument, "{}: rank {} found size {}, expected 0 or more", what, rank_, size);
    }
  }

  float* grown(int64_t count) {
    auto& buffer = shown(rank_).floats;
    if (static_cast<int64_t>(buffer.size()) < count) {
      try {
        buffer.resize(static_cast<size_t>(count));
      } catch (const std::exception&) {
        give_up("is out of memory");
        fail(StatusCode::out_of_memory, "thread group: rank {} found no memory for {} floats", rank_, count);
      }
    }
    return buffer.data();
  }

  /// Starts a collective: puts `count` floats where the peers will read them. Returns when it has to be over.
  Clock::time_point show(const char* what, int64_t size, const float* data, int64_t count) {
    check_size(what, size);
    group_->throw_if_broken();
    turn_ ^= 1;
    auto& mine = shown(rank_);
    mine.what = what;
    mine.size = size;
    mine.given = count;
    copy(grown(count), data, count);
    return Clock::now() + std::chrono::milliseconds(group_->timeout_ms());
  }

  void meet(Clock::time_point deadline) {
    const auto& mine = shown(rank_);
    group_->barrier(rank_, mine.what, deadline);
    for (int64_t peer = 0; peer < size(); ++peer) {
      const auto& other = shown(peer);
      if (std::strcmp(other.what, mine.what) != 0 || other.size != mine.size) {
        auto text = fmt::format("thread group: rank {} came to {} of {}, rank {} to {} of {}", rank_, mine.what,
                                mine.size, peer, other.what, other.size);
        group_->break_up(text);
        throw Error(StatusCode::comm_error, std::move(text));
      }
    }
  }

  Shown& shown(int64_t rank) { return group_->slot(rank).shown[turn_]; }
  float* buffer_of(int64_t rank) { return shown(rank).floats.data(); }

  static void copy(float* to, const float* from, int64_t count) {
    if (count > 0) {
      std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
    }
  }

  /// to[i] = sum over ranks, rank 0 first, for begin <= i < end.
  void reduce(float* to, int64_t begin, int64_t end) {
    std::array<float, block> sum;
    for (; begin < end; begin += block) {
      const int64_t count = std::min(block, end - begin);
      copy(sum.data(), buffer_of(0) + begin, count);
      for (int64_t peer = 1; peer < size(); ++peer) {
        const float* other = buffer_of(peer) + begin;
        for (int64_t i = 0; i < count; ++i) {
          sum[static_cast<size_t>(i)] += other[i];
        }
      }
      copy(to + begin, sum.data(), count);
    }
  }

  std::shared_ptr<ThreadGroup> group_;
  const int64_t rank_;
  size_t turn_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int64_t ranks, int64_t timeout_ms) {
  if (ranks < 1 || ranks > max_ranks) {
    fail(StatusCode::invalid_argument, "thread group: found {} ranks, expected 1 to {}", ranks, max_ranks);
  }
  if (timeout_ms < 1) {
    fail(StatusCode::invalid_argument, "thread group: found a time-out of {} ms, expected 1 or more", timeout_ms);
  }
  const auto group = std::make_shared<ThreadGroup>(ranks, std::min(timeout_ms, max_timeout_ms));
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    ends.push_back(std::make_unique<ThreadCommunicator>(group, rank));
  }
  return ends;
}

}  // namespace graft
