#include "core/base/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace graft {
namespace {

struct Lines {
  std::mutex mutex;
  std::vector<std::pair<int32_t, std::string>> lines;
  static void write(void* user, int32_t level, const char* message) {
    auto* self = static_cast<Lines*>(user);
    const std::lock_guard lock(self->mutex);
    self->lines.emplace_back(level, message);
  }
};

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { log_set(LogLevel::off, nullptr, nullptr); }
  Lines lines_;
};

TEST_F(LogTest, SilentByDefaultAndWithoutSink) {
  EXPECT_FALSE(log_enabled(LogLevel::error));
  log(LogLevel::error, "nobody hears {}", 1);
  log_set(LogLevel::debug, nullptr, nullptr);
  EXPECT_FALSE(log_enabled(LogLevel::error));
}

TEST_F(LogTest, LevelsAreAscending) {
  log_set(LogLevel::warning, Lines::write, &lines_);
  log(LogLevel::error, "e{}", 1);
  log(LogLevel::warning, "w{}", 2);
  log(LogLevel::info, "i{}", 3);
  log(LogLevel::debug, "d{}", 4);
  log(LogLevel::off, "never");
  const std::vector<std::pair<int32_t, std::string>> expected = {{1, "e1"}, {2, "w2"}};
  EXPECT_EQ(lines_.lines, expected);
  log_set(LogLevel::off, Lines::write, &lines_);
  log(LogLevel::error, "off");
  EXPECT_EQ(lines_.lines.size(), 2u);
}

TEST_F(LogTest, SinkMayCallBackIntoTheLog) {
  static std::atomic<int> calls{0};
  calls = 0;
  // Logging inside is dropped rather than recursing; replacing the sink inside does not deadlock.
  log_set(
      LogLevel::info,
      [](void*, int32_t, const char*) {
        ++calls;
        log(LogLevel::error, "inside");
        log_set(LogLevel::off, nullptr, nullptr);
      },
      nullptr);
  log(LogLevel::info, "outside");
  log(LogLevel::info, "now silent");
  EXPECT_EQ(calls, 1);
}

TEST_F(LogTest, WhatTheSinkThrowsIsSwallowed) {
  static int calls = 0;
  calls = 0;
  log_set(
      LogLevel::info,
      [](void*, int32_t, const char*) {
        ++calls;
        throw std::runtime_error("sink");
      },
      nullptr);
  EXPECT_NO_THROW(log(LogLevel::info, "one"));
  EXPECT_NO_THROW(log(LogLevel::info, "two"));
  EXPECT_EQ(calls, 2);
}

TEST_F(LogTest, ManyThreadsWhileTheSinkIsReplaced) {
  Lines other;
  log_set(LogLevel::info, Lines::write, &lines_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) log(LogLevel::info, "line {}", i);
    });
  }
  for (int i = 0; i < 100; ++i) log_set(LogLevel::info, Lines::write, i % 2 == 0 ? &other : &lines_);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lines_.lines.size() + other.lines.size(), 1500u);
}

}  // namespace
}  // namespace graft
