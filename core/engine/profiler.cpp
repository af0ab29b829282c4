#include "core/engine/profiler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/status.h"

namespace graft {
namespace {

double milliseconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-6; }

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// "linear.gemv.avx2" is variant gemv.avx2 of op linear.
nlohmann::ordered_json describe(const OpTime& time, int64_t forward_nanoseconds) {
  const std::string_view name = time.name;
  const size_t point = name.find('.');
  return {{"op", name.substr(0, point)},
          {"variant", point == std::string_view::npos ? std::string_view() : name.substr(point + 1)},
          {"calls", time.calls},
          {"milliseconds", milliseconds(time.nanoseconds)},
          {"share", share(time.nanoseconds, forward_nanoseconds)}};
}

}  // namespace

std::string Profile::table_json() const {
  int64_t explained = 0;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const OpTime& time : ops) {
    explained += time.nanoseconds;
    rows.push_back(describe(time, forward_nanoseconds));
  }
  return nlohmann::ordered_json{{"forwards", static_cast<int64_t>(forwards.size()) + dropped},
                                {"dropped", dropped},
                                {"forward_ms", milliseconds(forward_nanoseconds)},
                                {"explained", share(explained, forward_nanoseconds)},
                                {"ops", std::move(rows)}}
      .dump();
}

void Profiler::enable(bool on) {
  const std::lock_guard lock(mutex_);
  if (on && ring_.empty()) ring_.resize(most_forwards);
  enabled_.store(on, std::memory_order_relaxed);
}

void Profiler::add(int64_t nanoseconds, const OpTimes& ops) noexcept {
  const std::lock_guard lock(mutex_);
  ring_[static_cast<size_t>(count_) % most_forwards] = nanoseconds;
  ++count_;
  forward_nanoseconds_ += nanoseconds;
  for (const OpTime& time : ops.values()) ops_.add(time.name, time.calls, time.nanoseconds);
}

Profile Profiler::take() {
  const std::lock_guard lock(mutex_);
  if (!enabled() && count_ == 0) {
    fail(StatusCode::invalid_state,
         "profiling is off and nothing measured is left: found no profile, expected "
         "graft_engine_profile(engine, 1) before");
  }
  Profile profile;
  profile.dropped = std::max<int64_t>(0, count_ - static_cast<int64_t>(most_forwards));
  profile.forward_nanoseconds = forward_nanoseconds_;
  profile.forwards.reserve(static_cast<size_t>(count_ - profile.dropped));
  for (int64_t i = profile.dropped; i < count_; ++i) {
    profile.forwards.push_back(ring_[static_cast<size_t>(i) % most_forwards]);
  }
  profile.ops.assign(ops_.values().begin(), ops_.values().end());
  std::ranges::stable_sort(profile.ops, std::ranges::greater(), &OpTime::nanoseconds);
  count_ = 0;
  forward_nanoseconds_ = 0;
  ops_.clear();
  return profile;
}

}  // namespace graft
