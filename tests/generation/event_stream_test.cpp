#include "core/generation/event_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace graft {
namespace {

EventRecord token(int64_t id) {
  EventRecord event;
  event.token = id;
  event.text = "text of token " + std::to_string(id);
  return event;
}

TEST(EventStream, KeepsOrderThroughGrowthAndWrapping) {
  EventStream stream;
  EventRecord out;
  int64_t pushed = 0, taken = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < round % 37; ++i) stream.push(token(pushed++));
    for (int i = 0; i < round % 31 && taken < pushed; ++i) {
      ASSERT_EQ(stream.next(0, out), EventStream::Next::event);
      ASSERT_EQ(out.token, taken);
      ASSERT_EQ(out.text, "text of token " + std::to_string(taken));
      ++taken;
    }
  }
  stream.finish();
  while (taken < pushed) {
    ASSERT_EQ(stream.next(-1, out), EventStream::Next::event);
    ASSERT_EQ(out.token, taken++);
  }
  EXPECT_EQ(stream.next(-1, out), EventStream::Next::end);
}

TEST(EventStream, TimesOutWakesAndCloses) {
  EventStream stream;
  EventRecord out;
  EXPECT_EQ(stream.next(0, out), EventStream::Next::timeout);
  EXPECT_EQ(stream.next(5, out), EventStream::Next::timeout);
  stream.wake();
  EXPECT_EQ(stream.next(-1, out), EventStream::Next::timeout);
  std::thread closer([&] { stream.close(); });
  EXPECT_EQ(stream.next(-1, out), EventStream::Next::closed);
  closer.join();
  stream.push(token(1));
  EXPECT_EQ(stream.next(0, out), EventStream::Next::closed);
}

TEST(EventStream, EveryEventGoesToOneOfManyConsumers) {
  EventStream stream;
  constexpr int64_t count = 20000;
  std::atomic<int64_t> sum{0}, seen{0};
  std::vector<std::thread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      EventRecord out;
      while (stream.next(-1, out) == EventStream::Next::event) {
        sum += out.token;
        ++seen;
      }
    });
  }
  for (int64_t i = 0; i < count; ++i) stream.push(token(i));
  stream.finish();
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(seen, count);
  EXPECT_EQ(sum, count * (count - 1) / 2);
}

TEST(WaitLimit, HugeTimeoutsAreForEver) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  EXPECT_TRUE(WaitLimit(INT64_MAX).wait(condition, lock, [] { return true; }));
  EXPECT_FALSE(WaitLimit(0).wait(condition, lock, [] { return false; }));
}

}  // namespace
}  // namespace graft
