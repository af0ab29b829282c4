// What the parts of a forward pass take, by name.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace graft {

struct OpTime {
  const char* name;  ///< "linear.gemv.avx2": the op, then its variant
  int64_t calls;
  int64_t nanoseconds;
};

/// Sums per name, in the order of first use. Names live as long as the program, so that one name is one address.
/// Never allocates: what comes after the last place is summed under "other".
class OpTimes {
 public:
  static constexpr size_t most = 64;

  void add(const char* name, int64_t calls, int64_t nanoseconds) noexcept {
    size_t i = 0;
    while (i < count_ && times_[i].name != name) ++i;
    if (i == most) {
      i = most - 1;
      times_[i].name = "other";
    } else if (i == count_) {
      times_[count_++] = {name, 0, 0};
    }
    times_[i].calls += calls;
    times_[i].nanoseconds += nanoseconds;
  }

  std::span<const OpTime> values() const noexcept { return {times_.data(), count_}; }
  void clear() noexcept { count_ = 0; }

 private:
  std::array<OpTime, most> times_;
  size_t count_ = 0;
};

/// Times one thing after another with one look at the clock for each: an op's time ends where the next one's begins.
class OpTimer {
 public:
  /// What follows counts towards the next lap.
  void start() noexcept { last_ = Clock::now(); }
  /// Ends a lap: the time since the last lap or start is `name`'s.
  void lap(const char* name) noexcept {
    const Clock::time_point now = Clock::now();
    times_.add(name, 1, std::chrono::nanoseconds(now - last_).count());
    last_ = now;
  }

  const OpTimes& times() const noexcept { return times_; }
  void clear() noexcept { times_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;

  OpTimes times_;
  Clock::time_point last_;
};

}  // namespace graft
