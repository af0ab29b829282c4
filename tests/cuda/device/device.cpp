#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "kernels/cuda/choose.h"
#include "tests/cuda/support.h"

namespace {

using namespace graft::kernels;

[[noreturn]] void give_up(const char* what, const char* why) {
  std::fprintf(stderr, "%s: %s\n", what, why);
  std::exit(3);
}

struct TestDevice {
  const DevicePlugin& plugin = *graft_cuda_plugin();
  DeviceInfo info = {};
  emulated::Device said;
  void* stream = nullptr;
  void* library_handle = nullptr;

  TestDevice() {
    // With the eight queues that there are otherwise, two ranks may share one, and the first would keep the second from
    // starting. Read when CUDA starts.
    setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 1);
    char text[512] = "";
    PluginError error{text, sizeof text};
    int32_t count = 0;
    if (plugin.device_count(&count, &error) != plugin_ok || plugin.device_info(0, &info, &error) != plugin_ok ||
        plugin.make_current(0, &error) != plugin_ok || plugin.stream_new(0, &stream, &error) != plugin_ok ||
        plugin.library_handle_new(0, &library_handle, &error) != plugin_ok) {
      give_up("no device to test on", text);
    }
    said.multiprocessors = info.multiprocessors;
    said.capability_major = info.capability_major;
    said.capability_minor = info.capability_minor;
    said.shared_bytes_per_block = static_cast<size_t>(info.shared_bytes);
    std::printf("%s, capability %d.%d\n", info.name, info.capability_major, info.capability_minor);
  }
};

TestDevice& test_device() {
  static TestDevice once;
  return once;
}

std::string failure;

}  // namespace

emulated::Device& emulated::device() { return test_device().said; }

std::string emulated::take_failure() { return std::exchange(failure, ""); }

namespace graft::kernels::testing {

// Sixteen bytes of alignment, more than which no test may count on, come from any allocation.
void* allocate_pinned(size_t bytes) {
  char text[512] = "";
  PluginError error{text, sizeof text};
  void* memory = nullptr;
  if (test_device().plugin.host_allocate(static_cast<int64_t>(bytes), &memory, &error) != plugin_ok) {
    give_up("pinned memory", text);
  }
  return memory;
}

void release_pinned(void* memory) { test_device().plugin.host_release(memory); }

int32_t device_multiprocessors() { return test_device().info.multiprocessors; }

void run_on_device(const Variant& variant, const void* args) {
  TestDevice& device = test_device();
  variant.run(args, Context{{nullptr, device.info.multiprocessors, nullptr}, device.stream, device.library_handle});
  char text[512] = "";
  PluginError error{text, sizeof text};
  const int32_t status = device.plugin.synchronize(device.stream, &error);
  if (status == plugin_device_lost) give_up(variant.name, text);
  if (status != plugin_ok && failure.empty()) failure = text;
  EXPECT_EQ(status, plugin_ok) << variant.name << ": " << text;
}

namespace {

std::vector<void*>& streams() {
  static std::vector<void*> once;
  return once;
}

}  // namespace

void make_streams(size_t ranks) {
  char text[512] = "";
  PluginError error{text, sizeof text};
  while (streams().size() < ranks) {
    streams().push_back(nullptr);
    if (test_device().plugin.stream_new(0, &streams().back(), &error) != plugin_ok) give_up("a stream", text);
  }
}

void start_on_stream(size_t rank, const Variant& variant, const void* args) {
  variant.run(args, Context{{nullptr, test_device().info.multiprocessors, nullptr}, streams()[rank]});
}

void wait_for_stream(size_t rank) {
  char text[512] = "";
  PluginError error{text, sizeof text};
  const int32_t status = test_device().plugin.synchronize(streams()[rank], &error);
  if (status == plugin_device_lost) give_up("ranks", text);
  EXPECT_EQ(status, plugin_ok) << text;
}

std::vector<const Variant*> cuda_variants(Op op, const void* args, Isa highest) {
  const DeviceInfo& info = test_device().info;
  const Isa has = std::min(highest, cuda::isa_of_capability(info.capability_major, info.capability_minor));
  std::vector<const Variant*> found;
  const VariantTable& table = cuda_kernel_table();
  for (int64_t i = 0; i < table.count; ++i) {
    const Variant& variant = *table.variants[i];
    if (variant.op != op || variant.isa > has) continue;
    if (variant.accepts == nullptr || variant.accepts(args)) found.push_back(&variant);
  }
  return found;
}

}  // namespace graft::kernels::testing
