// Thunks of graft/log.h.
#include "graft/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

#include "capi/src/arguments.h"
#include "capi/src/error.h"
#include "capi/src/loader.h"
#include "capi/src/log.h"

namespace graft::capi {
namespace {

struct Sink {
  graft_log_callback callback;
  void* user;
};

constinit std::mutex sink_lock;     // guards the pair, and is never held while it is called
constinit std::mutex forward_lock;  // keeps the core's settings in the order of the calls
constinit Sink sink = {nullptr, nullptr};
constinit std::atomic<int32_t> level_in_force = GRAFT_LOG_WARNING;

void write_to_stderr(int32_t level, const char* message) {
  const char* names[] = {"", "error: ", "warning: ", "", "debug: "};
  std::fprintf(stderr, "graft: %s%s\n", level > 0 && level <= GRAFT_LOG_DEBUG ? names[level] : "", message);
}

// What the core writes to. Calls come from any thread.
void write(void*, int32_t level, const char* message) {
  if (level > level_in_force.load(std::memory_order_relaxed)) return;
  sink_lock.lock();
  const Sink now = sink;
  sink_lock.unlock();
  if (now.callback != nullptr) {
    now.callback(now.user, level, message);
  } else {
    write_to_stderr(level, message);
  }
}

}  // namespace

void log_warning(const char* message) { write(nullptr, GRAFT_LOG_WARNING, message); }

void forward_log_settings(const facade::Table& table) noexcept {
  const std::lock_guard guard(forward_lock);
  table.log_set(level_in_force.load(), &write, nullptr);
}

}  // namespace graft::capi

using namespace graft::capi;

graft_status graft_log_set_level(graft_log_level level) {
  return call([&] {
    level_in_force = choice("level", level, GRAFT_LOG_DEBUG + 1);
    if (const graft::facade::Table* table = loaded_core()) forward_log_settings(*table);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_log_set_callback(graft_log_callback callback, void* user) {
  return call([&] {
    const std::lock_guard guard(sink_lock);
    sink = {callback, user};
    return GRAFT_STATUS_OK;
  });
}
