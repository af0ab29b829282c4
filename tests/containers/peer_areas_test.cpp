// Areas of ranks in processes, on a plug-in that opens what was shared at the address that it has: threads stand in for
// processes.
#include "core/containers/peer_areas.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/base/status.h"
#include "tests/containers/on_ranks.h"

namespace graft {
namespace {

struct Counts {
  std::atomic<int32_t> mute = -1;  // the device whose memory cannot be shared
  std::atomic<int32_t> far = -1;   // the device that reaches no other
  std::atomic<int32_t> poor = -1;  // the device that has no memory
} counts;

// Memory that was not given back, and what is open of it.
struct Pieces {
  std::mutex mutex;
  std::set<void*> all;
  std::multiset<void*> opened;
  int64_t early = 0;  // given back while it was open
  int64_t count() {
    const std::lock_guard lock(mutex);
    return std::ssize(all);
  }
  void forget() {
    const std::lock_guard lock(mutex);
    for (void* memory : all) std::free(memory);
    all.clear();
  }
} pieces;

int32_t give(int32_t device, int64_t bytes, void** out, kernels::PluginError*) {
  if (device == counts.poor) return kernels::plugin_out_of_memory;
  *out = std::calloc(1, static_cast<size_t>(bytes));
  const std::lock_guard lock(pieces.mutex);
  pieces.all.insert(*out);
  return kernels::plugin_ok;
}
void take(void* memory) {
  const std::lock_guard lock(pieces.mutex);
  if (pieces.opened.contains(memory)) ++pieces.early;
  pieces.all.erase(memory);
  std::free(memory);
}
int32_t share(int32_t device, void* memory, kernels::SharedMemory* out, kernels::PluginError*) {
  std::memset(out->bytes, 0xff, sizeof out->bytes);  // any byte arrives
  std::memcpy(out->bytes, &memory, sizeof memory);
  return device == counts.mute ? kernels::plugin_failed : kernels::plugin_ok;
}
int32_t open_shared(int32_t device, const kernels::SharedMemory* shared, void** out, kernels::PluginError*) {
  *out = nullptr;
  if (device == counts.far || shared->bytes[63] != 0xff) return kernels::plugin_failed;
  std::memcpy(out, shared->bytes, sizeof *out);
  const std::lock_guard lock(pieces.mutex);
  pieces.opened.insert(*out);
  return kernels::plugin_ok;
}

const kernels::DevicePlugin& plugin() {
  static const kernels::DevicePlugin once = [] {
    kernels::DevicePlugin made{};
    made.allocate = give;
    made.release = [](int32_t, void* memory) { take(memory); };
    made.host_allocate = [](int64_t bytes, void** out, kernels::PluginError* error) {
      return give(-2, bytes, out, error);
    };
    made.host_release = take;
    made.share = share;
    made.open_shared = open_shared;
    made.close_shared = [](int32_t device, void* memory) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 * device));  // some are late
      const std::lock_guard lock(pieces.mutex);
      pieces.opened.erase(pieces.opened.find(memory));
    };
    return made;
  }();
  return once;
}

class ProcessAreas : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(pieces.count(), 0) << "memory that was not given back";
    EXPECT_EQ(std::ssize(pieces.opened), 0) << "memory of others that was not closed";
    EXPECT_EQ(pieces.early, 0) << "memory that was given back before others had closed it";
    pieces.early = 0;
    counts.mute = counts.far = counts.poor = -1;
  }

  /// `run` with each rank's end and device.
  static void on_devices(int64_t ranks, const std::function<void(Communicator&, const PeerPlace&)>& run) {
    static const kernels::Context context{};
    on_ranks(ranks, [&](Communicator& host) {
      run(host, {plugin(), static_cast<int32_t>(host.rank()), host_memory(), context});
    });
  }
};

TEST_F(ProcessAreas, AreOfEveryRankUntilAllPart) {
  on_devices(3, [](Communicator& host, const PeerPlace& place) {
    const std::unique_ptr<PeerAreas> areas = make_process_areas(place, host, 64);
    ASSERT_NE(areas, nullptr);
    std::memset(areas->area(host.rank()), static_cast<int>(host.rank()) + 1, 64);
    float there = 1;
    host.all_reduce(&there, 1);
    for (int64_t r = 0; r < 3; ++r) EXPECT_EQ(static_cast<const char*>(areas->area(r))[63], r + 1);
    areas->use(true);
    EXPECT_FALSE(areas->is_given_up());
    if (host.rank() == 1) areas->give_up();
    EXPECT_EQ(areas->is_given_up(), host.rank() == 1) << "each has a word of its own";
    areas->part();
  });
}

TEST_F(ProcessAreas, AreNowhereWhereOneRankCannot) {
  for (std::atomic<int32_t>* cannot : {&counts.mute, &counts.far}) {
    *cannot = 1;
    on_devices(
        3, [](Communicator& host, const PeerPlace& place) { EXPECT_EQ(make_process_areas(place, host, 64), nullptr); });
    EXPECT_EQ(pieces.count(), 0);
    *cannot = -1;
  }
}

TEST_F(ProcessAreas, ARankWithoutMemoryEndsTheOthersToo) {
  counts.poor = 2;
  on_devices(3, [&](Communicator& host, const PeerPlace& place) {
    try {
      make_process_areas(place, host, 64);
      ADD_FAILURE() << "rank " << host.rank();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), host.rank() == 2 ? StatusCode::out_of_memory : StatusCode::comm_error);
    }
  });
}

TEST_F(ProcessAreas, AnAreaIsLeftWhereOthersMayStillWrite) {
  for (const bool used : {false, true}) {
    on_devices(2, [used](Communicator& host, const PeerPlace& place) {
      const std::unique_ptr<PeerAreas> areas = make_process_areas(place, host, 64);
      ASSERT_NE(areas, nullptr);
      if (used) areas->use(true);
    });
    EXPECT_EQ(pieces.count(), used ? 2 : 0);
    pieces.early = 0;  // where nobody writes there, it does no harm
  }
  pieces.forget();
}

}  // namespace
}  // namespace graft
