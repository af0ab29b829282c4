// The NCCL group against a table of functions of our own.
#include "core/parallel/nccl.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/base/status.h"

using namespace graft;

namespace {

struct Fake {
  std::atomic<int> state{0}, start_state{0}, id_result{0}, init_result{0}, aborts{0}, sums{0}, ids{0};
  std::atomic<int> blocking{-1}, id_seen{0}, graphs{0};
};
Fake fake;

void reset() {
  for (auto* one : {&fake.state, &fake.start_state, &fake.id_result, &fake.init_result, &fake.aborts, &fake.sums,
                    &fake.ids, &fake.id_seen}) {
    *one = 0;
  }
}

const NcclTable table = {
    [](NcclId* id) {
      ++fake.ids;
      id->bytes.fill(42);
      return fake.id_result.load();
    },
    [](NcclComm* comm, int, NcclId id, int, NcclConfig* config) {
      fake.id_seen += id.bytes[127];
      fake.blocking = config->blocking;
      *comm = &fake;
      return fake.init_result.load();
    },
    [](NcclComm, int* state) {
      *state = fake.state;
      return 0;
    },
    [](NcclComm) {
      while (fake.graphs > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      ++fake.aborts;
      return 0;
    },
    [](const void*, void*, size_t, int, int, NcclComm, void*) {
      ++fake.sums;
      return fake.start_state.load();
    },
    [](int result) { return result == 6 ? "remote process exited" : "unhandled cuda error"; },
};

// Aborts do not wait.
void expect_aborts(int count) {
  for (int i = 0; i < 2000 && fake.aborts < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(fake.aborts, count);
}

template <class Action>
std::string comm_error(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::comm_error);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Nccl, IdOfRankZeroReachesAll) {
  reset();
  auto host = make_thread_communicators(3, 20000);
  std::vector<std::thread> threads;
  for (auto& end : host) {
    threads.emplace_back([&end] {
      NcclCommunicator comm(table, *end, 1000);
      comm.all_reduce(nullptr, 0, nullptr);
      comm.wait([] { return true; });
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(fake.ids, 1);
  EXPECT_EQ(fake.id_seen, 3 * 42);
  EXPECT_EQ(fake.sums, 3);
  EXPECT_EQ(fake.blocking, 0);
  EXPECT_EQ(fake.aborts, 3);  // freed
}

TEST(Nccl, TimeOutAbortsOnce) {
  reset();
  const auto host = make_single_communicator();
  {
    NcclCommunicator comm(table, *host, 50);
    fake.start_state = fake.state = 7;
    const auto text = comm_error([&] { comm.all_reduce(nullptr, 1, nullptr); });
    EXPECT_EQ(text, "nccl group: rank 0 of 1 in all_reduce: not done after 50 ms");
    expect_aborts(1);
    comm_error([&] { comm.all_reduce(nullptr, 1, nullptr); });
    comm.abort();
    EXPECT_EQ(fake.sums, 1);
  }
  EXPECT_EQ(fake.aborts, 1);
}

// A thread that has chosen none would have NCCL prepare device 0.
TEST(Nccl, TheThreadThatAbortsChoosesItsDevice) {
  reset();
  const auto host = make_single_communicator();
  int chosen = 0;
  std::thread::id chooser;
  {
    NcclCommunicator comm(table, *host, 20000, [&] {
      EXPECT_EQ(fake.aborts, 0);
      chooser = std::this_thread::get_id();
      ++chosen;
    });
    EXPECT_EQ(chosen, 0) << "the caller has chosen it";
  }
  EXPECT_EQ(chosen, 1);
  EXPECT_NE(chooser, std::this_thread::get_id());
  EXPECT_EQ(fake.aborts, 1);
}

TEST(Nccl, StreamThatNeverFinishesTimesOut) {
  reset();
  const auto host = make_single_communicator();
  NcclCommunicator comm(table, *host, 50);
  comm_error([&] { comm.wait([] { return false; }); });
  expect_aborts(1);
}

TEST(Nccl, ErrorsCarryTheWordsOfNccl) {
  reset();
  auto host = make_single_communicator();
  fake.id_result = 1;
  EXPECT_EQ(comm_error([&] { NcclCommunicator(table, *host, 50); }),
            "nccl group: rank 0 of 1 in get_unique_id of rank 0: unhandled cuda error");
  host = make_single_communicator();
  fake.id_result = 0;
  fake.init_result = 1;
  EXPECT_EQ(comm_error([&] { NcclCommunicator(table, *host, 50); }),
            "nccl group: rank 0 of 1 in init: unhandled cuda error");
  expect_aborts(1);
  host = make_single_communicator();
  fake.init_result = fake.aborts = 0;
  NcclCommunicator comm(table, *host, 20000);
  fake.state = 6;
  EXPECT_EQ(comm_error([&] { comm.wait([] { return false; }); }),
            "nccl group: rank 0 of 1 in wait: remote process exited");
  expect_aborts(1);
}

TEST(Nccl, AbortFreesTheWaiter) {
  reset();
  const auto host = make_single_communicator();
  NcclCommunicator comm(table, *host, 60000);
  std::string text;
  std::thread waiter([&] { text = comm_error([&] { comm.wait([] { return false; }); }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  comm.abort();
  waiter.join();
  EXPECT_EQ(text, "nccl group: rank 0 of 1 in wait: the group is broken or aborted");
  expect_aborts(1);
}

// NCCL's abort waits for the graphs that hold its kernels, which are destroyed after it was called.
TEST(Nccl, AbortWaitsForNothing) {
  reset();
  const auto host = make_single_communicator();
  fake.graphs = 1;
  {
    NcclCommunicator comm(table, *host, 60000);
    comm.abort();
    comm_error([&] { comm.wait({}); });
    EXPECT_EQ(fake.aborts, 0);
    fake.graphs = 0;
  }
  EXPECT_EQ(fake.aborts, 1) << "the destructor waits for it";
}

TEST(Nccl, APeerThatLeftIsNoticedBeforeTheTimeOut) {
  reset();
  auto host = make_thread_communicators(2, 60000);
  std::thread peer([&] {
    const NcclCommunicator comm(table, *host[1], 60000);
    host[1].reset();
  });
  NcclCommunicator comm(table, *host[0], 60000);
  EXPECT_EQ(comm_error([&] { comm.wait([] { return false; }); }), "thread group: rank 1 left the group");
  peer.join();
  expect_aborts(2);
}

// Its own end may take as long as NCCL takes to let it go.
TEST(Nccl, ARankThatCannotJoinFreesTheOthersAtOnce) {
  reset();
  auto host = make_thread_communicators(2, 60000);
  fake.graphs = 1;
  fake.init_result = 1;
  std::thread peer([&] { comm_error([&] { NcclCommunicator(table, *host[1], 60000); }); });
  std::thread first([&] { comm_error([&] { NcclCommunicator(table, *host[0], 60000); }); });
  EXPECT_NE(comm_error([&] {
              for (int i = 0; i < 4000; ++i) {
                host[0]->check();
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
              }
            }),
            "");
  EXPECT_EQ(fake.aborts, 0) << "it is not the end that told";
  fake.graphs = 0;
  first.join();
  peer.join();
}

TEST(Nccl, WhatFailsInTheWaitIsPassedOn) {
  reset();
  const auto host = make_single_communicator();
  NcclCommunicator comm(table, *host, 60000);
  EXPECT_THROW(comm.wait([]() -> bool { throw std::runtime_error("the device is lost"); }), std::runtime_error);
  expect_aborts(1);
}

}  // namespace
