// Pulling events allocates nothing on the caller's thread, once the event's own memory has grown to its texts.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/conformance/support/session.h"

namespace {
thread_local int64_t allocations = 0;
}  // namespace

// A sanitizer has an allocator of its own; there nothing is counted.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GRAFT_COUNTS_ALLOCATIONS 1
extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
extern "C" void* realloc(void* old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
#endif

namespace graft::conformance {
namespace {

constexpr int settled = 32;  // events after which the texts' buffer has its size

graft_request* finished_request(graft_engine* engine) {
  const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(
      graft_request_options_set_json(
          options.get(), R"({"seed": 1, "banned_tokens": [0, 1, 2, 3, 4], "ignore_eos": true, "max_tokens": 200})", -1),
      "options");
  graft_request* request = submit(engine, {5, 9, 2}, options.get()).release();
  check(graft_request_wait(request, timeout_ms), "wait");
  return request;
}

TEST(Events, PullingAllocatesNothing) {
  graft_engine* opened = nullptr;
  check(graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, nullptr, &opened), "open");
  const Engine engine(opened);
  graft_event* made = nullptr;
  check(graft_event_new(&made), "event");
  const Event event(made);
  const Request request(finished_request(opened));
  int64_t pulled = 0, before = 0, text = 0;
#ifdef GRAFT_COUNTS_ALLOCATIONS
  EXPECT_GT(allocations, 0) << "the counter does not see what the library allocates";
#endif
  while (graft_request_next(request.get(), 0, made) == GRAFT_STATUS_OK) {
    int64_t size = 0;
    if (graft_event_text(made, &size) != nullptr) text += size;
    if (++pulled == settled) before = allocations;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_GE(pulled, 200);
  EXPECT_GT(text, 100);
}

}  // namespace
}  // namespace graft::conformance
