// Groups over TCP: ranks as threads of this process, and as children that are killed or stopped.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>

#include "core/base/status.h"
#include "core/parallel/gloo.h"
#include "tests/parallel/collectives.h"

using namespace graft;

namespace {

using Clock = std::chrono::steady_clock;

int64_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  close(fd);
  return ntohs(address.sin_port);
}

RankAddress at_port(int64_t port, int64_t rank, int64_t world) {
  return {rank, world, "127.0.0.1", port, false, "graft"};
}

std::vector<std::unique_ptr<Communicator>> make_group(int64_t port, int64_t world, int64_t timeout_ms) {
  std::vector<std::unique_ptr<Communicator>> ends(static_cast<size_t>(world));
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < world; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ends[static_cast<size_t>(rank)] = make_gloo_communicator(at_port(port, rank, world), timeout_ms);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  return ends;
}

std::string comm_error(Communicator& end) {
  std::vector<float> x(100000, 1);
  try {
    for (int round = 0; round < 100000; ++round) {
      end.all_reduce(x.data(), static_cast<int64_t>(x.size()));
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::comm_error);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

TEST(GlooGroup, CollectivesOfGroupsOneAfterAnother) {
  for (int64_t world = 1; world <= 4; ++world) {
    const auto port = free_port();
    make_group(port, world, 20000);  // one before, on the same store
    auto ends = make_group(port, world, 20000);
    std::vector<std::vector<float>> results(ends.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < ends.size(); ++i) {
      ASSERT_TRUE(ends[i]);
    }
    for (size_t i = 0; i < ends.size(); ++i) {
      threads.emplace_back([&, i] { results[i] = test::run_collectives(*ends[i], 12, 30000); });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    for (size_t i = 0; i < ends.size(); ++i) {
      EXPECT_FALSE(results[i].empty());
      EXPECT_TRUE(test::same_bits(results[0], results[i])) << "rank " << i << " of " << world;
    }
    const auto begin = Clock::now();
    ends.clear();
    EXPECT_LT(seconds_since(begin), 2);
  }
}

TEST(GlooGroup, TwoGroupsAtOnce) {
  const auto port = free_port();
  auto first = make_group(port, 2, 20000);
  auto second = make_group(port, 2, 20000);
  ASSERT_TRUE(first[0] && first[1] && second[0] && second[1]);
  float a[2] = {1, 2}, b[2] = {10, 20};
  std::thread other([&] {
    second[1]->all_reduce(&b[1], 1);
    first[1]->all_reduce(&a[1], 1);
  });
  second[0]->all_reduce(&b[0], 1);
  first[0]->all_reduce(&a[0], 1);
  other.join();
  EXPECT_EQ(a[0], 3);
  EXPECT_EQ(a[1], 3);
  EXPECT_EQ(b[0], 30);
}

TEST(GlooGroup, AbortFreesTheWaiterAtOnce) {
  auto ends = make_group(free_port(), 2, 8000);
  ASSERT_TRUE(ends[0] && ends[1]);
  const auto begin = Clock::now();
  std::string text;
  std::thread waiter([&] { text = comm_error(*ends[0]); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ends[0]->abort();
  waiter.join();
  EXPECT_NE(text.find("aborted"), std::string::npos) << text;
  comm_error(*ends[1]);
  ends.clear();
  EXPECT_LT(seconds_since(begin), 4);
}

TEST(GlooGroup, AbortFreesPeersThatWait) {
  auto ends = make_group(free_port(), 3, 8000);  // rank 2 never comes: each that notices closes its connections in turn
  ASSERT_TRUE(ends[0] && ends[1] && ends[2]);
  const auto begin = Clock::now();
  std::thread first([&] { comm_error(*ends[0]); });
  std::thread second([&] { comm_error(*ends[1]); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ends[2]->abort();
  first.join();
  second.join();
  ends.clear();
  EXPECT_LT(seconds_since(begin), 4);
}

TEST(GlooGroup, DestroyedRankFreesTheWaiter) {
  auto ends = make_group(free_port(), 2, 30000);
  ASSERT_TRUE(ends[0] && ends[1]);
  const auto begin = Clock::now();
  std::thread waiter([&] { comm_error(*ends[0]); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ends[1].reset();
  waiter.join();
  EXPECT_LT(seconds_since(begin), 10);
}

TEST(GlooGroup, RankThatNeverComes) {
  const auto port = free_port();
  const auto begin = Clock::now();
  EXPECT_THROW(make_gloo_communicator(at_port(port, 1, 2), 300), Error);  // no store
  EXPECT_THROW(make_gloo_communicator(at_port(port, 0, 2), 500), Error);  // a store, no peer
  EXPECT_LT(seconds_since(begin), 15);
}

/// Another process as rank 1: this program again (tests/parallel/main.cpp).
pid_t start_rank(int64_t port) {
  const auto text = std::to_string(port);
  const pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "parallel_tests", "--rank-one", text.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

double lose_peer(int signal, int64_t timeout_ms) {
  const auto port = free_port();
  const pid_t child = start_rank(port);
  auto end = make_gloo_communicator(at_port(port, 0, 2), timeout_ms);
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(child, signal);
  });
  comm_error(*end);
  killer.join();
  const auto begin = Clock::now();
  end.reset();
  const double seconds = seconds_since(begin);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return seconds;
}

TEST(GlooGroup, KilledPeer) {
  const auto begin = Clock::now();
  EXPECT_LT(lose_peer(SIGKILL, 20000), 1);
  EXPECT_LT(seconds_since(begin), 15);
  auto ends = make_group(free_port(), 2, 20000);  // life goes on
  EXPECT_TRUE(ends[0] && ends[1]);
}

TEST(GlooGroup, HungPeer) {
  const auto begin = Clock::now();
  EXPECT_LT(lose_peer(SIGSTOP, 3000), 1);
  EXPECT_GT(seconds_since(begin), 3);
  EXPECT_LT(seconds_since(begin), 15);
}

TEST(RankAddress, FromEnvironment) {
  std::map<std::string, std::string> set;
  const auto read = [&](const char* name) -> const char* {
    const auto found = set.find(name);
    return found == set.end() ? nullptr : found->second.c_str();
  };
  EXPECT_FALSE(rank_address_from_environment(read));
  set = {{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "host"}, {"MASTER_PORT", "29500"}};
  auto where = rank_address_from_environment(read);
  ASSERT_TRUE(where);
  EXPECT_EQ(where->rank, 1);
  EXPECT_EQ(where->world, 2);
  EXPECT_EQ(where->address, "host");
  EXPECT_EQ(where->port, 29500);
  EXPECT_FALSE(where->agent_store);
  EXPECT_EQ(where->local_rank, -1);
  set["SLURM_LOCALID"] = "0";
  EXPECT_EQ(rank_address_from_environment(read)->local_rank, 0);
  set["LOCAL_RANK"] = "1";
  EXPECT_EQ(rank_address_from_environment(read)->local_rank, 1);
  set["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  EXPECT_TRUE(rank_address_from_environment(read)->agent_store);
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"RANK", "2"}, {"WORLD_SIZE", "two"}, {"MASTER_ADDR", ""}, {"MASTER_PORT", "70000"}, {"LOCAL_RANK", "-1"}}) {
    const auto kept = std::exchange(set[name], value);
    try {
      rank_address_from_environment(read);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(name + ": found"), std::string::npos) << error.what();
    }
    set[name] = kept;
  }
}

}  // namespace
