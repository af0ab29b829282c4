// Engines come and go: two models in one process, eight threads at work, everything destroyed in random order, two
// hundred times. Memory must not grow, nothing may hang or crash.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "tests/conformance/support/session.h"

// At exit the leak check stops every thread to look at it, and dies itself over one that is just ending, which is what
// TheProcessMayEndAtAnyTime makes its children do. The test's own process is checked.
static bool ends_in_mid_work = false;
extern "C" __attribute__((visibility("default"))) int __lsan_is_turned_off() { return ends_in_mid_work ? 1 : 0; }

namespace graft::conformance {
namespace {

constexpr int cycles = 200;
constexpr int settled = 50;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t allowed_growth = int64_t{1}
                                   << 40;  // a sanitizer keeps freed memory and shadows; it looks for other faults
#else
constexpr int64_t allowed_growth = int64_t{4} << 20;
#endif

std::string case_path(const char* name) {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  return std::string(folder != nullptr ? folder : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

int64_t resident_bytes() {
  malloc_trim(0);
  int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

graft_engine* open(const char* name, graft_progress_callback progress = nullptr) {
  graft_engine_options* options = nullptr;
  check(graft_engine_options_new(&options), "options");
  const EngineOptions owned(options);
  check(graft_engine_options_set_threads(options, 2), "threads");
  check(graft_engine_options_set_context_limit(options, 128), "context");
  check(graft_engine_options_set_progress(options, progress, nullptr), "progress");
  graft_engine* engine = nullptr;
  check(graft_engine_open(case_path(name).c_str(), -1, options, &engine), name);
  return engine;
}

// Submits, reads some or all of the answer, and perhaps cancels; leaves the request to the caller.
graft_request* work(graft_engine* engine, unsigned seed, graft_event* event) {
  std::mt19937 random(seed);
  Tokens prompt(1 + random() % 60);
  for (int64_t& token : prompt) token = static_cast<int64_t>(random() % 100);
  const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_max_tokens(options.get(), 8), "max tokens");
  graft_request* request = submit(engine, prompt, options.get()).release();
  const unsigned events = random() % 12;
  for (unsigned i = 0; i < events; ++i) {
    const graft_status status = graft_request_next(request, 10000, event);
    if (status == GRAFT_STATUS_END) break;
    EXPECT_EQ(status, GRAFT_STATUS_OK) << graft_last_error_message();
  }
  if (random() % 3 == 0) {
    EXPECT_EQ(graft_request_cancel(request), GRAFT_STATUS_OK);
  }
  return request;
}

void one_cycle(unsigned seed) {
  graft_engine* engines[2] = {open("llama_gqa"), open("gpt2_plain")};
  graft_request* requests[8] = {};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const Event event = make_event();
      requests[t] = work(engines[t % 2], seed * 8 + t, event.get());
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<std::function<void()>> releases;
  for (graft_engine* engine : engines) releases.push_back([engine] { graft_engine_free(engine); });
  for (graft_request* request : requests) releases.push_back([request] { graft_request_free(request); });
  std::shuffle(releases.begin(), releases.end(), std::mt19937(seed));
  for (const auto& release : releases) release();
}

TEST(Lifetime, TwoEnginesEightThreadsRandomOrder) {
  int64_t after_settling = 0;
  for (int cycle = 1; cycle <= cycles; ++cycle) {
    one_cycle(static_cast<unsigned>(cycle));
    if (cycle == settled || cycle == cycles) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the last engine threads are on their way out
      const int64_t now = resident_bytes();
      if (cycle == settled) after_settling = now;
      if (cycle == cycles) {
        RecordProperty("growth_bytes", std::to_string(now - after_settling));
        std::printf("resident after %d cycles %.1f MiB, after %d cycles %.1f MiB\n", settled,
                    static_cast<double>(after_settling) / (1 << 20), cycles, static_cast<double>(now) / (1 << 20));
        EXPECT_LE(now - after_settling, allowed_growth);
      }
    }
  }
}

TEST(Lifetime, ARequestOutlivesItsEnginesHandle) {
  graft_engine* engine = open("llama_gqa");
  const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_max_tokens(options.get(), 20), "max tokens");
  check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
  const Request request = submit(engine, {1, 2, 3}, options.get());
  graft_engine_free(engine);
  const Event event = make_event();
  Generated generated;
  while (graft_request_next(request.get(), timeout_ms, event.get()) == GRAFT_STATUS_OK) {
    take_event(event.get(), generated);
  }
  EXPECT_EQ(generated.tokens.size(), 20U);
  EXPECT_EQ(generated.reason, GRAFT_FINISH_LENGTH);
}

TEST(Lifetime, CloseEndsWhatIsInFlight) {
  graft_engine* engine = open("llama_gqa");
  const Request request = submit(engine, {1, 2, 3}, nullptr);
  check(graft_engine_close(engine, timeout_ms), "close");
  const graft_status ended = graft_request_wait(request.get(), timeout_ms);
  EXPECT_TRUE(ended == GRAFT_STATUS_CANCELLED || ended == GRAFT_STATUS_OK) << graft_status_name(ended);
  graft_input* input = nullptr;
  check(graft_input_new(&input), "input");
  const int64_t token = 1;
  check(graft_input_set_tokens(input, &token, 1), "tokens");
  graft_request* late = nullptr;
  EXPECT_EQ(graft_request_submit(engine, input, nullptr, nullptr, 0, &late), GRAFT_STATUS_CLOSED);
  EXPECT_EQ(late, nullptr);
  graft_input_free(input);
  graft_engine_free(engine);
}

// The process ends while engines work: no crash in static destructors. Runs in a child of its own.
TEST(Lifetime, TheProcessMayEndAtAnyTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int microseconds : {0, 300, 3000, 30000}) {
    EXPECT_EXIT(
        {
          graft_engine* engine = open("llama_gqa");
          const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
          check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
          static graft_request* kept[8];  // reachable to the very end, so no leak
          for (graft_request*& request : kept) request = submit(engine, {1, 2, 3}, options.get()).release();
          usleep(static_cast<useconds_t>(microseconds));
          ends_in_mid_work = true;
          std::exit(0);
        },
        testing::ExitedWithCode(0), "");
  }
}

// Libraries that come with a later engine have their own handlers, which must find no engine at work: not those of the
// engines before either.
TEST(Lifetime, EnginesEndBeforeWhatWasLoadedLater) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static graft_engine* const first = open("llama_gqa");
        if (dlopen("libanl.so.1", RTLD_NOW) == nullptr) std::exit(2);
        std::atexit([] { _exit(graft_engine_wait(first, 0) == GRAFT_STATUS_TIMEOUT ? 3 : 0); });
        static graft_engine* const second = open("llama_gqa");
        ends_in_mid_work = second != nullptr;
        std::exit(1);
      },
      testing::ExitedWithCode(0), "");
}

// Nor those that an engine loads itself while it opens.
TEST(Lifetime, EnginesEndBeforeWhatTheyLoaded) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static graft_engine* engine = nullptr;
        engine = open("llama_gqa", [](void*, double, const char*) -> int32_t {
          static const bool loaded = dlopen("libanl.so.1", RTLD_NOW) != nullptr;
          static const int registered =
              std::atexit([] { _exit(graft_engine_wait(engine, 0) == GRAFT_STATUS_TIMEOUT ? 3 : 0); });
          return loaded && registered == 0 ? 0 : 1;
        });
        ends_in_mid_work = true;
        std::exit(1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace graft::conformance
