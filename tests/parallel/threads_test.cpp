// Groups whose ranks are threads of this process.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/base/status.h"
#include "core/parallel/communicator.h"
#include "tests/parallel/collectives.h"

using namespace graft;

namespace {

constexpr int64_t long_ms = 60000;

std::string comm_error(Communicator& end) {
  float x = 1;
  try {
    end.all_reduce(&x, 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::comm_error);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(ThreadGroup, Collectives) {
  for (int64_t ranks = 1; ranks <= 5; ++ranks) {
    auto ends = make_thread_communicators(ranks, long_ms);
    std::vector<std::vector<float>> results(ends.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < ends.size(); ++i) {
      threads.emplace_back([&, i] { results[i] = test::run_collectives(*ends[i], 60, 30000); });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    for (size_t i = 0; i < ends.size(); ++i) {
      EXPECT_FALSE(results[i].empty());
      EXPECT_TRUE(test::same_bits(results[0], results[i])) << "rank " << i << " of " << ranks;
    }
  }
}

TEST(ThreadGroup, MoreRanksThanCores) {
  static constexpr int64_t ranks = 24;
  auto ends = make_thread_communicators(ranks, long_ms);
  std::vector<std::thread> threads;
  for (auto& end : ends) {
    threads.emplace_back([&end] {
      for (int round = 0; round < 200; ++round) {
        float x[3] = {1, static_cast<float>(end->rank()), static_cast<float>(round)};
        end->all_reduce(x, 3);
        ASSERT_EQ(x[0], ranks);
        ASSERT_EQ(x[1], ranks * (ranks - 1) / 2);
        ASSERT_EQ(x[2], static_cast<float>(round * ranks));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
}

TEST(ThreadGroup, TimeOutNamesTheMissingRanks) {
  auto ends = make_thread_communicators(3, 100);
  const auto begin = std::chrono::steady_clock::now();
  const auto text = comm_error(*ends[1]);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
  EXPECT_EQ(text, "thread group: rank 1 waited 100 ms in all_reduce for rank 0, 2");
  EXPECT_EQ(comm_error(*ends[0]), text);  // broken for good
}

TEST(ThreadGroup, AbortFreesWaiters) {
  auto ends = make_thread_communicators(2, long_ms);
  std::string text;
  std::thread waiter([&] { text = comm_error(*ends[0]); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ends[0]->abort();
  waiter.join();
  EXPECT_EQ(text, "thread group: rank 0 aborted the group");
  EXPECT_EQ(comm_error(*ends[1]), text);
}

TEST(ThreadGroup, DestroyedRankFreesWaiters) {
  auto ends = make_thread_communicators(3, long_ms);
  std::vector<std::string> texts(2);
  std::thread first([&] { texts[0] = comm_error(*ends[0]); });
  std::thread second([&] { texts[1] = comm_error(*ends[1]); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ends[2].reset();
  first.join();
  second.join();
  EXPECT_EQ(texts[0], "thread group: rank 2 left the group");
  EXPECT_EQ(texts[1], texts[0]);
}

TEST(ThreadGroup, LeavingAfterTheLastCollectiveHarmsNobody) {
  for (int round = 0; round < 300; ++round) {
    auto ends = make_thread_communicators(3, long_ms);
    std::vector<std::thread> threads;
    for (auto& end : ends) {
      threads.emplace_back([&end] {
        std::vector<float> x(20000, 1);
        end->all_reduce(x.data(), static_cast<int64_t>(x.size()));
        EXPECT_EQ(x.back(), 3);
        end.reset();
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
  }
}

TEST(ThreadGroup, DisagreeingRanksAreAnError) {
  auto ends = make_thread_communicators(2, long_ms);
  std::thread other([&] {
    float x[2] = {};
    EXPECT_THROW(ends[1]->all_reduce(x, 2), Error);
  });
  EXPECT_NE(comm_error(*ends[0]).find("came to all_reduce of"), std::string::npos);
  other.join();
}

TEST(ThreadGroup, BadArguments) {
  EXPECT_THROW(make_thread_communicators(0, 1), Error);
  EXPECT_THROW(make_thread_communicators(2, 0), Error);
  auto ends = make_thread_communicators(1, 1);
  float x = 0;
  EXPECT_THROW(ends[0]->all_reduce(&x, -1), Error);
  EXPECT_THROW(ends[0]->broadcast(&x, -1), Error);
}

TEST(SingleGroup, GivesBackWhatItGets) {
  const auto end = make_single_communicator();
  EXPECT_FALSE(test::run_collectives(*end, 10, 100).empty());
  end->abort();
  EXPECT_EQ(comm_error(*end), "group of one: it was aborted");
}

}  // namespace
