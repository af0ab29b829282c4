#include "core/base/log.h"

#include <atomic>
#include <mutex>

namespace graft {
namespace {

struct Sink {
  LogWrite write = nullptr;
  void* user = nullptr;
};

// All constant-initialised and never destroyed with effect, so logging is legal during static construction and exit.
constinit std::atomic<int32_t> threshold{0};
constinit std::mutex sink_mutex;
constinit Sink sink;
constinit thread_local bool inside_sink = false;

}  // namespace

void log_set(LogLevel level, LogWrite write, void* user) noexcept {
  const std::lock_guard lock(sink_mutex);
  sink = {write, user};
  threshold.store(write == nullptr ? 0 : static_cast<int32_t>(level), std::memory_order_relaxed);
}

bool log_enabled(LogLevel level) noexcept {
  const auto number = static_cast<int32_t>(level);
  return number > 0 && number <= threshold.load(std::memory_order_relaxed);
}

void log_write(LogLevel level, const char* message) noexcept {
  if (inside_sink || !log_enabled(level)) return;
  Sink current;
  {
    const std::lock_guard lock(sink_mutex);
    current = sink;
  }
  if (current.write == nullptr) return;
  inside_sink = true;  // a sink that calls back into the library must not recurse without end
  try {
    current.write(current.user, static_cast<int32_t>(level), message);
  } catch (...) {
  }
  inside_sink = false;
}

}  // namespace graft
