// The load's progress: it rises to 1; cancelling it ends the load, which is the caller's wish and no line of the log.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

struct Seen {
  int calls = 0;
  double last = 0;
  bool fell = false;
  int cancel_at = 0;  // the call at which to cancel; 0 = never
};

int32_t take(void* user, double fraction, const char* what) {
  auto& seen = *static_cast<Seen*>(user);
  seen.fell |= fraction < seen.last || *what == 0;
  seen.last = fraction;
  return ++seen.calls == seen.cancel_at ? 1 : 0;
}

std::atomic<int> lines;
void count_line(void*, graft_log_level, const char*) { ++lines; }

graft_status open(Seen& seen) {
  graft_engine_options* options = nullptr;
  check(graft_engine_options_new(&options), "options");
  const EngineOptions owned(options);
  check(graft_engine_options_set_progress(options, take, &seen), "progress");
  graft_engine* engine = nullptr;
  const graft_status status = graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, options, &engine);
  EXPECT_EQ(engine != nullptr, status == GRAFT_STATUS_OK);
  graft_engine_free(engine);
  return status;
}

TEST(Progress, RisesToOne) {
  Seen seen;
  EXPECT_EQ(open(seen), GRAFT_STATUS_OK);
  EXPECT_GE(seen.calls, 2);
  EXPECT_FALSE(seen.fell);
  EXPECT_EQ(seen.last, 1.0);
}

TEST(Progress, CancelledWhereverItStandsAndNotLogged) {
  lines = 0;
  check(graft_log_set_callback(count_line, nullptr), "log");
  // How many calls there are depends on how fast the file is read, but there are always two: a first one, and 1.
  for (int round = 0; round < 50; ++round) {
    Seen seen;
    seen.cancel_at = 1 + round % 2;
    EXPECT_EQ(open(seen), GRAFT_STATUS_CANCELLED) << "at call " << seen.cancel_at;
    EXPECT_EQ(seen.calls, seen.cancel_at) << "told of progress after it was cancelled";
  }
  check(graft_log_set_callback(nullptr, nullptr), "log");
  EXPECT_EQ(lines, 0);
}

}  // namespace
}  // namespace graft::conformance
