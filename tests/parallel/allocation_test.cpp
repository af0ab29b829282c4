// A step that is warm allocates nothing, its collectives included. This file counts what the whole test program
// allocates.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "core/parallel/communicator.h"

namespace {
thread_local int64_t allocations = 0;
}

void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) {
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace {

TEST(ThreadGroup, WarmCollectivesAllocateNothing) {
  auto ends = graft::make_thread_communicators(3, 60000);
  std::vector<std::thread> threads;
  for (auto& end : ends) {
    threads.emplace_back([&end] {
      const int64_t counts[3] = {0, 7, 20000};
      std::vector<float> data(20000, 1), all(20007);
      const auto rounds = [&](int times) {
        for (int i = 0; i < times; ++i) {
          end->all_reduce(data.data(), 20000);
          end->all_reduce(data.data(), 10);
          end->all_gather(data.data(), counts, all.data());
          end->broadcast(data.data(), 4000);
        }
      };
      rounds(2);
      const int64_t before = allocations;
      EXPECT_GT(before, 0);  // it counts
      rounds(50);
      EXPECT_EQ(allocations, before);
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
}

}  // namespace
