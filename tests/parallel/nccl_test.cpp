// The NCCL group against a table of functions of our own.
#include "core/parallel/nccl.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "core/base/status.h"

using namespace graft;

namespace {

struct Fake {
  std::atomic<int> state{0}, start_state{0}, id_result{0}, init_result{0}, aborts{0}, sums{0}, ids{0};
  std::atomic<int> blocking{-1}, id_seen{0};
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
      ++fake.aborts;
      return 0;
    },
    [](const void*, void*, size_t, int, int, NcclComm, void*) {
      ++fake.sums;
      return fake.start_state.load();
    },
    [](int result) { return result == 6 ? "remote process exited" : "unhandled cuda error"; },
};

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
    EXPECT_EQ(fake.aborts, 1);
    comm_error([&] { comm.all_reduce(nullptr, 1, nullptr); });
    comm.abort();
    EXPECT_EQ(fake.sums, 1);
  }
  EXPECT_EQ(fake.aborts, 1);
}

TEST(Nccl, StreamThatNeverFinishesTimesOut) {
  reset();
  const auto host = make_single_communicator();
  NcclCommunicator comm(table, *host, 50);
  comm_error([&] { comm.wait([] { return false; }); });
  EXPECT_EQ(fake.aborts, 1);
}

TEST(Nccl, ErrorsCarryTheWordsOfNccl) {
  reset();
  const auto host = make_single_communicator();
  fake.id_result = 1;
  EXPECT_EQ(comm_error([&] { NcclCommunicator(table, *host, 50); }),
            "nccl group: rank 0 of 1 in get_unique_id of rank 0: unhandled cuda error");
  fake.id_result = 0;
  fake.init_result = 1;
  EXPECT_EQ(comm_error([&] { NcclCommunicator(table, *host, 50); }),
            "nccl group: rank 0 of 1 in init: unhandled cuda error");
  fake.init_result = 0;
  fake.aborts = 0;
  NcclCommunicator comm(table, *host, 20000);
  fake.state = 6;
  EXPECT_EQ(comm_error([&] { comm.wait([] { return false; }); }),
            "nccl group: rank 0 of 1 in wait: remote process exited");
  EXPECT_EQ(fake.aborts, 1);
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
  EXPECT_EQ(fake.aborts, 1);
}

}  // namespace
