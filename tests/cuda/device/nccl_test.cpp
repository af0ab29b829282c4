// NCCL itself under Graft's communicator, on one device: sums inside a graph, a rank that never comes, and an abort
// while a graph holds NCCL's kernel. Sums of several ranks need several devices.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "core/base/status.h"
#include "core/parallel/nccl.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

class Nccl : public ::testing::Test {
 protected:
  static constexpr int64_t patient_ms = 60000;

  void SetUp() override {
    emulated::device();  // ends the program where there is none
    try {
      table = load_nccl();
    } catch (const Error& problem) {
      GTEST_SKIP() << problem.what();
    }
    choose_device();
    ok(plugin.stream_new(0, &stream, &error));
  }
  void TearDown() override { plugin.stream_free(0, stream); }

  void ok(int32_t status) { ASSERT_EQ(status, plugin_ok) << text; }
  void choose_device() { ok(plugin.make_current(0, &error)); }
  bool is_done() {
    bool done = false;
    EXPECT_EQ(plugin.stream_query(stream, &done, &error), plugin_ok) << text;
    return done;
  }

  // Each sum of one rank leaves what was there, called or launched within a graph.
  void expect_sums(NcclCommunicator& comm, int64_t count) {
    std::vector<float> values(static_cast<size_t>(count)), after(values.size());
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) - 3.5F;
    const auto bytes = static_cast<int64_t>(values.size() * sizeof(float));
    void *data = nullptr, *graph = nullptr;
    ok(plugin.allocate(0, bytes, &data, &error));
    ok(plugin.copy(stream, data, values.data(), bytes, &error));
    ok(plugin.synchronize(stream, &error));
    comm.all_reduce(static_cast<float*>(data), count, stream);
    comm.wait([this] { return is_done(); });
    ok(plugin.capture_begin(stream, &error));
    comm.all_reduce(static_cast<float*>(data), count, stream);
    ok(plugin.capture_end(stream, &graph, &error));
    for (int i = 0; i < 3; ++i) ok(plugin.graph_launch(graph, stream, &error));
    comm.wait([this] { return is_done(); });
    ok(plugin.copy(stream, after.data(), data, bytes, &error));
    ok(plugin.synchronize(stream, &error));
    EXPECT_EQ(after, values) << count;
    plugin.graph_free(graph);
    plugin.release(0, data);
  }

  void expect_sums_of_a_new_communicator() {
    const auto host = make_single_communicator();
    const auto begin = std::chrono::steady_clock::now();
    {
      NcclCommunicator comm(table, *host, patient_ms, [this] { choose_device(); });
      for (const int64_t count : {64, 4096, 1 << 20}) expect_sums(comm, count);
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(took.count(), patient_ms) << "its end waited for the time-out";
  }

  const DevicePlugin& plugin = *graft_cuda_plugin();
  char text[512] = "";
  PluginError error{text, sizeof text};
  void* stream = nullptr;
  NcclTable table{};
};

TEST_F(Nccl, OneRankSumsInsideAGraph) { expect_sums_of_a_new_communicator(); }

TEST_F(Nccl, ARankThatNeverComesIsToldAfterTheTimeOut) {
  const auto ends = make_thread_communicators(2, patient_ms);
  std::thread other([&] {  // hears the group's id, and does nothing with it
    struct {
      NcclId id;
      int result;
    } start{};
    ends[1]->broadcast(&start, sizeof start);
  });
  std::string told;
  try {
    const NcclCommunicator comm(table, *ends[0], 3000, [this] { choose_device(); });
  } catch (const Error& problem) {
    EXPECT_EQ(problem.code(), StatusCode::comm_error);
    told = problem.what();
  }
  other.join();
  EXPECT_EQ(told, "nccl group: rank 0 of 2 in init: not done after 3000 ms");
  expect_sums_of_a_new_communicator();
}

TEST_F(Nccl, IsAbortedWhileAGraphHoldsItsKernel) {
  constexpr int64_t count = 4096, bytes = count * static_cast<int64_t>(sizeof(float));
  void *data = nullptr, *graph = nullptr;
  ok(plugin.allocate(0, bytes, &data, &error));
  ok(plugin.fill(stream, data, 0, bytes, &error));
  const auto host = make_single_communicator();
  {
    NcclCommunicator comm(table, *host, patient_ms, [this] { choose_device(); });
    comm.all_reduce(static_cast<float*>(data), count, stream);
    comm.wait([this] { return is_done(); });
    ok(plugin.capture_begin(stream, &error));
    comm.all_reduce(static_cast<float*>(data), count, stream);
    ok(plugin.capture_end(stream, &graph, &error));
    comm.abort();
    EXPECT_THROW(comm.all_reduce(static_cast<float*>(data), count, stream), Error);
    plugin.graph_free(graph);
  }
  plugin.release(0, data);
  expect_sums_of_a_new_communicator();
}

}  // namespace
}  // namespace graft::kernels::testing
