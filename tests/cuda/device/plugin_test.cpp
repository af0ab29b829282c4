// The device table itself: memory, copies, events, graphs, and what failures leave behind.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "kernels/spec/gather_rows.h"
#include "tests/cuda/device/mistakes.h"
#include "tests/cuda/device/other_process.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

class Plugin : public ::testing::Test {
 protected:
  void SetUp() override {
    emulated::device();  // ends the program where there is none
    ok(plugin.make_current(0, &error));
    ok(plugin.stream_new(0, &stream, &error));
  }
  void TearDown() override { plugin.stream_free(0, stream); }

  void ok(int32_t status) { ASSERT_EQ(status, plugin_ok) << text; }
  void* memory(int64_t bytes) {
    void* made = nullptr;
    ok(plugin.allocate(0, bytes, &made, &error));
    return made;
  }
  void put(void* to, const void* from, int64_t bytes) { ok(plugin.copy(stream, to, from, bytes, &error)); }
  void wait() { ok(plugin.synchronize(stream, &error)); }

  const DevicePlugin& plugin = *graft_cuda_plugin();
  char text[512] = "";
  PluginError error{text, sizeof text};
  void* stream = nullptr;
};

// Rows of x, gathered by indices, all on the device.
struct Gather {
  static constexpr int64_t width = 64, count = 5;
  std::vector<float> x;
  std::vector<int32_t> indices{4, 0, 2, 2, 1};
  void *device_x, *device_out, *device_rows, *device_indices;
  GatherRowsArgs args = {};
};

TEST_F(Plugin, SaysWhatTheDeviceIs) {
  DeviceInfo info = {};
  ok(plugin.device_info(0, &info, &error));
  EXPECT_NE(info.name[0], '\0');
  EXPECT_GT(info.memory_bytes, int64_t{1} << 30);
  EXPECT_GT(info.multiprocessors, 0);
  EXPECT_GT(info.l2_bytes, 0);
  int64_t available = 0;
  ok(plugin.free_memory(0, &available, &error));
  EXPECT_GT(available, 0);
  EXPECT_LE(available, info.memory_bytes);
  EXPECT_NE(plugin.device_info(4711, &info, &error), plugin_ok);
  EXPECT_NE(std::string(text), "");
}

TEST_F(Plugin, ReachesItselfAndEveryPeerThatTheMachineAllows) {
  int32_t devices = 0;
  ok(plugin.device_count(&devices, &error));
  bool reached = false;
  ok(plugin.reach(0, 0, &reached, &error));
  EXPECT_TRUE(reached);
  for (int32_t peer = 1; peer < devices; ++peer) {
    for (int again = 0; again < 2; ++again) ok(plugin.reach(0, peer, &reached, &error));
    std::printf("device 0 %s device %d\n", reached ? "reaches" : "does not reach", peer);
  }
  EXPECT_NE(plugin.reach(0, 4711, &reached, &error), plugin_ok);
  EXPECT_FALSE(reached);
}

/// Memory of device 0 that other processes may open.
class SharedWithProcesses : public Plugin {
 protected:
  void SetUp() override {
    Plugin::SetUp();
    own = memory(2 << 20);
    if (plugin.share(0, own, &shared, &error) == plugin_ok) return;
    // WSL and some virtual machines have no such thing, and say so.
    ASSERT_NE(std::string(text).find("cudaErrorNotSupported"), std::string::npos) << text;
    GTEST_SKIP() << text;
  }
  void TearDown() override {
    plugin.release(0, own);
    Plugin::TearDown();
  }

  void* own = nullptr;
  SharedMemory shared{};
};

TEST_F(SharedWithProcesses, AnotherChangesIt) {
  std::vector<int32_t> values = {1, 2, 3};
  put(own, values.data(), 12);
  wait();
  EXPECT_EQ(std::system(other_process("--change", text_of(shared)).c_str()), 0);
  put(values.data(), own, 12);
  wait();
  EXPECT_EQ(values, (std::vector<int32_t>{10, 20, 30}));
}

// What becomes of the process that goes on writing is the driver's; it is printed, for docs/cuda.md to tell.
TEST_F(SharedWithProcesses, AThirdLivesOnWhereAnOwnerIsKilled) {
  EXPECT_EQ(std::system(other_process("--outlive", "").c_str()), 0);
  const int32_t value = 5;
  put(own, &value, 4);
  wait();
}

TEST_F(Plugin, CopiesAndFills) {
  const std::vector<int32_t> values{1, 2, 3, 4, 5, 6};
  std::vector<int32_t> back(6, 0);
  void* device = memory(24);
  put(device, values.data(), 24);
  put(back.data(), device, 24);
  wait();
  EXPECT_EQ(back, values);
  ok(plugin.copy_2d(stream, back.data(), 12, device, 8, 8, 2, &error));  // 1 2 _ 3 4 _
  wait();
  EXPECT_EQ(back, (std::vector<int32_t>{1, 2, 3, 3, 4, 6}));
  ok(plugin.fill(stream, device, 0xff, 24, &error));
  put(back.data(), device, 24);
  wait();
  EXPECT_EQ(back, std::vector<int32_t>(6, -1));
  plugin.release(0, device);
  EXPECT_EQ(memory(0), nullptr);
}

TEST_F(Plugin, TooMuchMemoryIsAFailureThatHarmsNothing) {
  void* made = nullptr;
  EXPECT_EQ(plugin.allocate(0, int64_t{1} << 46, &made, &error), plugin_out_of_memory);
  EXPECT_EQ(made, nullptr);
  EXPECT_NE(std::string(text).find("memory"), std::string::npos) << text;
  EXPECT_EQ(plugin.allocate(0, -1, &made, &error), plugin_failed);
  void* device = memory(64);
  wait();
  plugin.release(0, device);
}

TEST_F(Plugin, EventsMeasureAndOrder) {
  void *begin = nullptr, *end = nullptr, *other = nullptr;
  ok(plugin.event_new(0, true, &begin, &error));
  ok(plugin.event_new(0, true, &end, &error));
  ok(plugin.stream_new(0, &other, &error));
  const int64_t bytes = int64_t{256} << 20;
  void* device = memory(bytes);
  ok(plugin.event_record(begin, stream, &error));
  ok(plugin.fill(stream, device, 3, bytes, &error));
  ok(plugin.event_record(end, stream, &error));
  ok(plugin.stream_wait(other, end, &error));
  unsigned char last = 0;
  ok(plugin.copy(other, &last, static_cast<unsigned char*>(device) + bytes - 1, 1, &error));
  ok(plugin.synchronize(other, &error));
  EXPECT_EQ(last, 3);
  bool done = false;
  ok(plugin.stream_query(other, &done, &error));
  EXPECT_TRUE(done);
  ok(plugin.event_synchronize(end, &error));
  bool reached = false;
  ok(plugin.event_query(end, &reached, &error));
  EXPECT_TRUE(reached);
  float milliseconds = 0;
  ok(plugin.event_elapsed(begin, end, &milliseconds, &error));
  EXPECT_GT(milliseconds, 0.0f);
  EXPECT_LT(milliseconds, 1000.0f);
  plugin.release(0, device);
  plugin.stream_free(0, other);
  plugin.event_free(begin);
  plugin.event_free(end);
}

TEST_F(Plugin, AGraphReadsCountsAtEachLaunch) {
  Gather g;
  Random random(7);
  g.x = random.normals(g.count * g.width);
  g.device_x = memory(g.count * g.width * 4);
  g.device_out = memory(g.count * g.width * 4);
  g.device_rows = memory(4);
  g.device_indices = memory(g.count * 4);
  put(g.device_x, g.x.data(), g.count * g.width * 4);
  put(g.device_indices, g.indices.data(), g.count * 4);
  g.args = {static_cast<const int32_t*>(g.device_rows),    0,
            static_cast<const int32_t*>(g.device_indices), g.width,
            static_cast<const float*>(g.device_x),         static_cast<float*>(g.device_out)};
  const Variant* variant = plugin.select(0, Op::gather_rows, &g.args);
  ASSERT_NE(variant, nullptr);
  wait();

  void* graph = nullptr;
  ok(plugin.capture_begin(stream, &error));
  ok(plugin.fill(stream, g.device_out, 0, g.count * g.width * 4, &error));
  variant->run(&g.args, Context{{nullptr, emulated::device().multiprocessors, nullptr}, stream});
  ok(plugin.capture_end(stream, &graph, &error));
  EXPECT_EQ(plugin.graph_nodes(graph), 2);

  for (const int32_t rows : {0, 3, 5, 1}) {
    put(g.device_rows, &rows, 4);
    ok(plugin.graph_launch(graph, stream, &error));
    std::vector<float> out(static_cast<size_t>(g.count * g.width), -1.0f), expected(out.size(), 0.0f);
    put(out.data(), g.device_out, g.count * g.width * 4);
    wait();
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < g.width; ++i) {
        expected[static_cast<size_t>(r * g.width + i)] =
            g.x[static_cast<size_t>(g.indices[static_cast<size_t>(r)] * g.width + i)];
      }
    }
    EXPECT_EQ(out, expected) << rows << " rows";
  }
  plugin.graph_free(graph);
  for (void* piece : {g.device_x, g.device_out, g.device_rows, g.device_indices}) plugin.release(0, piece);
}

TEST_F(Plugin, AFailedRecordingLeavesTheStreamUsable) {
  void* graph = nullptr;
  ok(plugin.capture_begin(stream, &error));
  EXPECT_NE(plugin.synchronize(stream, &error), plugin_ok);  // not allowed here
  EXPECT_NE(plugin.capture_end(stream, &graph, &error), plugin_ok);
  EXPECT_EQ(graph, nullptr);
  wait();
  void* device = memory(64);
  ok(plugin.fill(stream, device, 1, 64, &error));
  wait();
  plugin.release(0, device);
}

TEST_F(Plugin, OtherThreadsGoOnWhileOneRecords) {
  void *device = memory(64), *graph = nullptr;
  ok(plugin.capture_begin(stream, &error));
  std::thread([&] {
    void *own_stream = nullptr, *own = nullptr;
    EXPECT_EQ(plugin.make_current(0, nullptr), plugin_ok);
    EXPECT_EQ(plugin.stream_new(0, &own_stream, nullptr), plugin_ok);
    EXPECT_EQ(plugin.allocate(0, 64, &own, nullptr), plugin_ok);
    EXPECT_EQ(plugin.fill(own_stream, own, 1, 64, nullptr), plugin_ok);
    EXPECT_EQ(plugin.synchronize(own_stream, nullptr), plugin_ok);
    plugin.release(0, own);
    plugin.stream_free(0, own_stream);
  }).join();
  ok(plugin.fill(stream, device, 1, 64, &error));
  ok(plugin.capture_end(stream, &graph, &error));
  EXPECT_EQ(plugin.graph_nodes(graph), 1);
  plugin.graph_free(graph);
  plugin.release(0, device);
}

// In CUDA's default mode, in which other threads may not allocate; those of Graft do.
TEST_F(Plugin, DisturbsNoCaptureOfTheHost) {
  void* device = memory(64);
  begin_global_capture(stream);
  std::thread([&] {
    void *own_stream = nullptr, *own = nullptr, *event = nullptr;
    bool done = false;
    EXPECT_EQ(plugin.allocate(0, 64, &own, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.make_current(0, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.stream_new(0, &own_stream, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.event_new(0, false, &event, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.fill(own_stream, own, 1, 64, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.event_record(event, own_stream, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.event_query(event, &done, &error), plugin_ok) << text;
    EXPECT_EQ(plugin.synchronize(own_stream, &error), plugin_ok) << text;
    plugin.event_free(event);
    plugin.release(0, own);
    plugin.stream_free(0, own_stream);
  }).join();
  ok(plugin.fill(stream, device, 1, 64, &error));
  void* graph = nullptr;
  ok(plugin.capture_end(stream, &graph, &error));
  EXPECT_EQ(plugin.graph_nodes(graph), 1);
  plugin.graph_free(graph);
  plugin.release(0, device);
}

TEST_F(Plugin, ALaunchThatFailsIsToldOnce) {
  launch_too_many_threads(stream);
  EXPECT_EQ(plugin.synchronize(stream, &error), plugin_failed);
  EXPECT_NE(std::string(text).find("launching a kernel"), std::string::npos) << text;
  wait();
  void* graph = nullptr;
  ok(plugin.capture_begin(stream, &error));
  launch_too_many_threads(stream);
  EXPECT_EQ(plugin.capture_end(stream, &graph, &error), plugin_failed);
  EXPECT_EQ(graph, nullptr);
  wait();
}

// In a process of its own, since nothing runs on the device after it.
TEST_F(Plugin, ALostDeviceIsToldEachTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto lose = [&] {
    launch_illegal_write(stream);
    if (plugin.synchronize(stream, &error) != plugin_device_lost) std::exit(1);
    void* made = nullptr;
    for (int i = 0; i < 3; ++i) {
      if (plugin.allocate(0, 64, &made, &error) != plugin_device_lost) std::exit(2);
      if (std::string(text).find("the device is lost") == std::string::npos) std::exit(3);
      if (plugin.synchronize(stream, &error) != plugin_device_lost) std::exit(4);
    }
    plugin.stream_free(0, stream);  // whatever is freed afterwards harms nothing
    std::exit(0);
  };
  EXPECT_EXIT(lose(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace graft::kernels::testing
