// What the plug-in's host part makes of the runtime's answers, over a runtime that is not there.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "kernels/cuda/launch_error.h"
#include "kernels/spec/device_plugin.h"
#include "tests/cuda/host/fake_runtime.h"

extern "C" const graft::kernels::DevicePlugin* graft_cuda_plugin();

namespace graft::kernels {
namespace {

bool accepts_even(const void* args) { return *static_cast<const int*>(args) % 2 == 0; }
constexpr Variant plain{Op::linear, Isa::sm80, "plain", nullptr, nullptr, nullptr};
constexpr Variant newer{Op::linear, Isa::sm90, "newer", accepts_even, nullptr, nullptr};
constexpr Variant newest{Op::linear, Isa::sm100, "newest", nullptr, nullptr, nullptr};
constexpr const Variant* variants[] = {&newest, &plain, &newer};

}  // namespace

const VariantTable& cuda_kernel_table() {
  static constexpr VariantTable table{variants, 3};
  return table;
}

namespace {

class Host : public ::testing::Test {
 protected:
  void SetUp() override { runtime = fake::Runtime{}; }
  void TearDown() override {
    EXPECT_EQ(runtime.live, 0) << "something was not given back";
    EXPECT_EQ(runtime.last, cudaSuccess) << "left on the thread, for somebody else to find";
  }

  bool says(const char* words) const { return std::strstr(text, words) != nullptr; }
  int32_t count() {
    text[0] = '\0';
    return plugin.device_count(&devices, &error);
  }

  fake::Runtime& runtime = fake::runtime();
  const DevicePlugin& plugin = *graft_cuda_plugin();
  char text[256] = "";
  PluginError error{text, sizeof text};
  int32_t devices = -1;
  void* const stream = &runtime;
};

TEST_F(Host, EveryEntryOfTheTableIsThere) {
  EXPECT_EQ(plugin.version, device_plugin_version);
  EXPECT_STREQ(plugin.build_hash, GRAFT_BUILD_HASH);
  const auto* entry = reinterpret_cast<void* const*>(&plugin.device_count);
  const auto* end = reinterpret_cast<void* const*>(&plugin + 1);
  for (; entry < end; ++entry) EXPECT_NE(*entry, nullptr);
}

TEST_F(Host, SaysWhyThereIsNoDevice) {
  EXPECT_EQ(count(), plugin_ok);
  EXPECT_EQ(devices, 1);
  runtime.capability = 75;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("compute capability 7.5, expected 8.0")) << text;
  EXPECT_EQ(devices, 0);
  EXPECT_EQ(plugin.make_current(0, &error), plugin_failed);
  EXPECT_TRUE(says("capability 7.5")) << text;
  runtime.answer["cudaGetDeviceCount"] = cudaErrorNoDevice;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("shows no device")) << text;
  runtime.answer["cudaGetDeviceCount"] = cudaErrorInsufficientDriver;
  runtime.driver = 12080;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("for CUDA 12.8, expected 13.0")) << text;
  runtime.driver = 0;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("no NVIDIA driver")) << text;
  runtime.answer["cudaGetDeviceCount"] = cudaErrorSystemNotReady;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("cudaGetDeviceCount: fake text (fakeName)")) << text;
  runtime.answer["cudaGetDeviceCount"] = cudaErrorUnknown;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_FALSE(says("lost")) << text;
  runtime.answer["cudaGetDeviceCount"] = cudaErrorInitializationError;
  EXPECT_EQ(count(), plugin_failed);
  EXPECT_TRUE(says("forked")) << text;
}

TEST_F(Host, ChoosesTheHighestThatTheDeviceHasAndThatAccepts) {
  const int even = 2, odd = 3;
  const std::pair<int, const Variant*> expected[] = {
      {80, &plain}, {89, &plain}, {90, &newer}, {100, &newest}, {120, &newest}};
  for (const auto& [capability, variant] : expected) {
    runtime.capability = capability;
    EXPECT_EQ(plugin.select(0, Op::linear, &even), variant) << capability;
  }
  runtime.capability = 90;
  EXPECT_EQ(plugin.select(0, Op::linear, &odd), &plain);
  EXPECT_EQ(plugin.select(0, Op::attention, &even), nullptr);
  runtime.capability = 75;
  EXPECT_EQ(plugin.select(0, Op::linear, &even), nullptr);
}

// On a machine without a driver the library cannot start, or is not there: that is no failure, and is told.
TEST_F(Host, TheLibraryOfProductsMayBeLeftOut) {
  LibraryInfo info;
  const bool found = plugin.library_info(&info, &error) == plugin_ok;
  EXPECT_EQ(std::strncmp(info.version, "13.", 3) == 0, found) << info.version;
  EXPECT_EQ(says("libcublasLt.so.13"), !found) << text;
  const std::string missing = text;
  void* handle = &handle;
  EXPECT_EQ(plugin.library_handle_new(0, &handle, &error), plugin_ok);
  EXPECT_NE(handle, &handle);
  if (!found) {
    EXPECT_EQ(handle, nullptr);
    EXPECT_EQ(text, missing);
  } else {
    EXPECT_EQ(says("cublasLtCreate: cublasStatus_t "), handle == nullptr) << text;
  }
  plugin.library_handle_free(0, handle);
  plugin.library_handle_free(0, nullptr);
  runtime.answer["cudaSetDevice"] = cudaErrorInvalidDevice;
  EXPECT_EQ(plugin.library_handle_new(1, &handle, &error), plugin_failed);
  EXPECT_EQ(handle, nullptr);
}

TEST_F(Host, ANameIsCutToItsPlace) {
  DeviceInfo info;
  ASSERT_EQ(plugin.device_info(0, &info, &error), plugin_ok);
  EXPECT_EQ(std::strlen(info.name), sizeof info.name - 1);
  EXPECT_EQ(info.multiprocessors, 132);
  for (const uint8_t byte : info.uuid) EXPECT_EQ(byte, 'u');
}

TEST_F(Host, AskingAStreamDoesNotWait) {
  bool done = false;
  ASSERT_EQ(plugin.stream_query(stream, &done, &error), plugin_ok);
  EXPECT_TRUE(done);
  runtime.answer["cudaStreamQuery"] = cudaErrorNotReady;
  ASSERT_EQ(plugin.stream_query(stream, &done, &error), plugin_ok);
  EXPECT_FALSE(done);
  runtime.answer["cudaStreamQuery"] = cudaErrorIllegalAddress;
  EXPECT_EQ(plugin.stream_query(stream, &done, &error), plugin_device_lost);
  EXPECT_FALSE(done);
  EXPECT_TRUE(says("cudaStreamQuery: the device is lost to this process: fake text")) << text;
}

TEST_F(Host, AskingAnEventDoesNotWait) {
  bool reached = false;
  ASSERT_EQ(plugin.event_query(stream, &reached, &error), plugin_ok);
  EXPECT_TRUE(reached);
  runtime.answer["cudaEventQuery"] = cudaErrorNotReady;
  ASSERT_EQ(plugin.event_query(stream, &reached, &error), plugin_ok);
  EXPECT_FALSE(reached);
  runtime.answer["cudaEventQuery"] = cudaErrorIllegalAddress;
  EXPECT_EQ(plugin.event_query(stream, &reached, &error), plugin_device_lost);
  EXPECT_FALSE(reached);
}

TEST_F(Host, ATextIsCutToItsPlaceAndMayBeLeftOut) {
  runtime.answer["cudaMalloc"] = cudaErrorMemoryAllocation;
  void* memory = nullptr;
  char small[6] = "-----";
  PluginError cut{small, sizeof small};
  EXPECT_EQ(plugin.allocate(0, 8, &memory, &cut), plugin_out_of_memory);
  EXPECT_STREQ(small, "cudaM");
  EXPECT_EQ(plugin.allocate(0, 8, &memory, nullptr), plugin_out_of_memory);
  PluginError none{nullptr, 0};
  EXPECT_EQ(plugin.allocate(0, 8, &memory, &none), plugin_out_of_memory);
}

TEST_F(Host, LeavesTheCallersDeviceAsItWas) {
  runtime.devices = 4;
  runtime.current = 3;
  void *memory = nullptr, *made = nullptr, *event = nullptr;
  int64_t available = 0;
  ASSERT_EQ(plugin.allocate(1, 8, &memory, &error), plugin_ok);
  ASSERT_EQ(plugin.stream_new(1, &made, &error), plugin_ok);
  ASSERT_EQ(plugin.event_new(1, true, &event, &error), plugin_ok);
  ASSERT_EQ(plugin.free_memory(1, &available, &error), plugin_ok);
  EXPECT_EQ(available, 5);
  plugin.event_free(event);
  plugin.stream_free(1, made);
  plugin.release(1, memory);
  EXPECT_EQ(runtime.current, 3);
  ASSERT_EQ(plugin.make_current(2, &error), plugin_ok);
  EXPECT_EQ(runtime.current, 2);
}

// The host's capture of a graph, on a thread of its own in CUDA's default mode.
TEST_F(Host, DisturbsNoCaptureOfTheHost) {
  runtime.devices = 2;
  runtime.host_captures = true;
  void *memory = nullptr, *pinned = nullptr, *made = nullptr;
  int64_t available = 0;
  bool done = false;
  EXPECT_EQ(plugin.allocate(1, 8, &memory, &error), plugin_ok);
  EXPECT_EQ(plugin.host_allocate(8, &pinned, &error), plugin_ok);
  EXPECT_EQ(plugin.stream_new(1, &made, &error), plugin_ok);
  EXPECT_EQ(plugin.free_memory(1, &available, &error), plugin_ok);
  plugin.stream_free(1, made);
  plugin.host_release(pinned);
  plugin.release(1, memory);
  EXPECT_EQ(runtime.mode, cudaStreamCaptureModeGlobal) << "the host's thread has another mode than before";
  ASSERT_EQ(plugin.make_current(1, &error), plugin_ok);  // an engine's thread
  EXPECT_EQ(plugin.stream_query(stream, &done, &error), plugin_ok);
  EXPECT_EQ(plugin.event_query(stream, &done, &error), plugin_ok);
  EXPECT_EQ(runtime.disturbed, 0);
}

TEST_F(Host, WhatCannotChooseItsDeviceLeavesNoErrorBehind) {
  void* memory = nullptr;
  ASSERT_EQ(plugin.allocate(1, 8, &memory, &error), plugin_ok);
  runtime.answer["cudaSetDevice"] = cudaErrorInvalidDevice;
  plugin.release(1, memory);  // tells nothing; TearDown looks at what is left
}

TEST_F(Host, MemoryThatTheSystemDoesNotPinIsNoFailureOfTheDevice) {
  void* memory = nullptr;
  for (const cudaError_t result : {cudaErrorMemoryAllocation, cudaErrorOperatingSystem, cudaErrorNotSupported}) {
    runtime.answer["cudaHostAlloc"] = result;
    EXPECT_EQ(plugin.host_allocate(8, &memory, &error), plugin_out_of_memory);
    EXPECT_TRUE(says("cudaHostAlloc")) << text;
  }
}

// A thread that has chosen no device is told that it has chosen the first.
TEST_F(Host, PreparesNoDeviceThatNobodyUses) {
  runtime.devices = 2;
  runtime.unused = 0;
  void* memory = nullptr;
  ASSERT_EQ(plugin.allocate(1, 8, &memory, &error), plugin_ok);
  plugin.release(1, memory);
  EXPECT_EQ(runtime.unused, 0);
  runtime.current = 0;
  runtime.answer["cudaGetDriverEntryPointByVersion"] = cudaErrorNotSupported;
  ASSERT_EQ(plugin.allocate(1, 8, &memory, &error), plugin_ok);
  plugin.release(1, memory);
  EXPECT_EQ(runtime.unused, 0);
}

TEST_F(Host, ReachesAPeerOnceAndForAll) {
  runtime.devices = 3;
  bool reached = false;
  EXPECT_EQ(plugin.reach(1, 2, &reached, &error), plugin_ok);
  EXPECT_TRUE(reached);
  EXPECT_EQ(runtime.reached, (std::set<std::pair<int, int>>{{1, 2}}));
  EXPECT_EQ(runtime.current, 0) << "the caller's own";
  reached = false;
  EXPECT_EQ(plugin.reach(1, 2, &reached, &error), plugin_ok);
  EXPECT_TRUE(reached) << "again";
  EXPECT_EQ(plugin.reach(2, 1, &reached, &error), plugin_ok);
  EXPECT_EQ(runtime.reached.size(), 2u) << "each way is one of its own";
}

TEST_F(Host, ADeviceReachesItselfWithoutAsking) {
  runtime.peers = false;
  runtime.answer["cudaDeviceEnablePeerAccess"] = cudaErrorInvalidDevice;
  bool reached = false;
  EXPECT_EQ(plugin.reach(1, 1, &reached, &error), plugin_ok);
  EXPECT_TRUE(reached);
}

TEST_F(Host, TellsWhereAPeerCannotBeReached) {
  runtime.peers = false;
  bool reached = true;
  EXPECT_EQ(plugin.reach(0, 1, &reached, &error), plugin_ok);
  EXPECT_FALSE(reached);
  EXPECT_TRUE(runtime.reached.empty());
  runtime.peers = true;
  for (const cudaError_t refusal : {cudaErrorPeerAccessUnsupported, cudaErrorTooManyPeers}) {
    runtime.answer["cudaDeviceEnablePeerAccess"] = refusal;
    reached = true;
    EXPECT_EQ(plugin.reach(0, 1, &reached, &error), plugin_ok);
    EXPECT_FALSE(reached);
  }
  for (const char* call : {"cudaDeviceEnablePeerAccess", "cudaSetDevice", "cudaDeviceCanAccessPeer"}) {
    runtime.answer = {{call, cudaErrorInvalidDevice}};
    reached = true;
    EXPECT_EQ(plugin.reach(1, 2, &reached, &error), plugin_failed) << call;
    EXPECT_FALSE(reached) << call;
    EXPECT_TRUE(says(call)) << text;
  }
}

// Opened for the device that is to reach it, whatever the caller's own is.
TEST_F(Host, SharesMemoryWithOtherProcesses) {
  runtime.devices = 3;
  SharedMemory shared{};
  void *own = nullptr, *there = nullptr;
  ASSERT_EQ(plugin.allocate(1, 8, &own, &error), plugin_ok);
  EXPECT_EQ(plugin.share(1, own, &shared, &error), plugin_ok);
  EXPECT_EQ(shared.bytes[63], 0x80) << "all of it";
  EXPECT_EQ(plugin.open_shared(2, &shared, &there, &error), plugin_ok);
  EXPECT_EQ(runtime.opened, (std::set<std::pair<int, void*>>{{2, own}}));
  EXPECT_EQ(runtime.current, 0);
  plugin.close_shared(2, there);
  plugin.close_shared(2, nullptr);
  EXPECT_TRUE(runtime.opened.empty());
  for (const char* call : {"cudaIpcOpenMemHandle", "cudaSetDevice"}) {
    runtime.answer = {{call, cudaErrorMapBufferObjectFailed}};
    there = this;
    EXPECT_EQ(plugin.open_shared(2, &shared, &there, &error), plugin_failed) << call;
    EXPECT_EQ(there, nullptr);
    EXPECT_TRUE(says(call)) << text;
  }
  runtime.answer = {{"cudaIpcGetMemHandle", cudaErrorNotSupported}};
  EXPECT_EQ(plugin.share(1, own, &shared, &error), plugin_failed);
  runtime.answer = {};
  plugin.release(1, own);
}

TEST_F(Host, TellsWhichDevicesAreTooOld) {
  DeviceInfo info;
  ASSERT_EQ(plugin.device_info(0, &info, &error), plugin_ok);
  EXPECT_TRUE(info.usable);
  runtime.capability = 75;
  ASSERT_EQ(plugin.device_info(0, &info, &error), plugin_ok);
  EXPECT_FALSE(info.usable);
}

TEST_F(Host, NothingIsTheMemoryOfNoBytes) {
  void* memory = &runtime;
  EXPECT_EQ(plugin.allocate(0, 0, &memory, &error), plugin_ok);
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(plugin.allocate(0, -1, &memory, &error), plugin_failed);
  EXPECT_EQ(plugin.host_allocate(-1, &memory, &error), plugin_failed);
  plugin.release(0, nullptr);
  plugin.host_release(nullptr);
  plugin.stream_free(0, nullptr);
  plugin.event_free(nullptr);
  plugin.graph_free(nullptr);
}

TEST_F(Host, ALaunchThatFailedIsToldOnce) {
  cuda::kept_launch_error() = cudaErrorInvalidConfiguration;
  EXPECT_EQ(plugin.synchronize(stream, &error), plugin_failed);
  EXPECT_TRUE(says("launching a kernel: ")) << text;
  EXPECT_EQ(plugin.synchronize(stream, &error), plugin_ok);
  // What has happened to the device goes before it.
  cuda::kept_launch_error() = cudaErrorInvalidConfiguration;
  runtime.answer["cudaStreamSynchronize"] = cudaErrorIllegalAddress;
  EXPECT_EQ(plugin.synchronize(stream, &error), plugin_device_lost);
  runtime.answer.clear();
  EXPECT_EQ(plugin.synchronize(stream, &error), plugin_ok);
}

TEST_F(Host, ALostDeviceIsToldEachTime) {
  runtime.lost = cudaErrorIllegalAddress;
  void* made = nullptr;
  float milliseconds = 0;
  for (int i = 0; i < 2; ++i) {
    const int32_t told[] = {plugin.synchronize(stream, &error),
                            plugin.copy(stream, &devices, text, 1, &error),
                            plugin.copy_2d(stream, &devices, 4, text, 4, 4, 1, &error),
                            plugin.fill(stream, &devices, 0, 1, &error),
                            plugin.allocate(0, 8, &made, &error),
                            plugin.stream_new(0, &made, &error),
                            plugin.event_new(0, false, &made, &error),
                            plugin.event_record(stream, stream, &error),
                            plugin.event_synchronize(stream, &error),
                            plugin.event_elapsed(stream, stream, &milliseconds, &error),
                            plugin.stream_wait(stream, stream, &error),
                            plugin.make_current(0, &error),
                            plugin.capture_begin(stream, &error),
                            plugin.capture_end(stream, &made, &error)};
    for (const int32_t status : told) EXPECT_EQ(status, plugin_device_lost);
    EXPECT_TRUE(says("the device is lost")) << text;
    EXPECT_EQ(made, nullptr);
  }
}

TEST_F(Host, ARecordingThatFailsLeavesNothing) {
  void* graph = stream;
  ASSERT_EQ(plugin.capture_begin(stream, &error), plugin_ok);
  runtime.recording_broken = true;
  EXPECT_EQ(plugin.capture_end(stream, &graph, &error), plugin_failed);
  EXPECT_EQ(graph, nullptr);
  EXPECT_FALSE(runtime.recording);
  runtime.recording_broken = false;
  for (const char* call : {"cudaGraphGetNodes", "cudaGraphInstantiate", "cudaGraphUpload"}) {
    runtime.answer = {{call, cudaErrorMemoryAllocation}};
    ASSERT_EQ(plugin.capture_begin(stream, &error), plugin_ok);
    EXPECT_EQ(plugin.capture_end(stream, &graph, &error), plugin_out_of_memory);
    EXPECT_TRUE(says(call)) << text;
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(runtime.live, 0) << call;
  }
  runtime.answer.clear();
  ASSERT_EQ(plugin.capture_begin(stream, &error), plugin_ok);
  cuda::kept_launch_error() = cudaErrorInvalidConfiguration;
  EXPECT_EQ(plugin.capture_end(stream, &graph, &error), plugin_failed);
  EXPECT_TRUE(says("launching a kernel")) << text;
  ASSERT_EQ(plugin.capture_begin(stream, &error), plugin_ok);
  ASSERT_EQ(plugin.capture_end(stream, &graph, &error), plugin_ok);
  EXPECT_EQ(plugin.graph_nodes(graph), 3);
  EXPECT_EQ(plugin.graph_launch(graph, stream, &error), plugin_ok);
  plugin.graph_free(graph);
}

}  // namespace
}  // namespace graft::kernels
