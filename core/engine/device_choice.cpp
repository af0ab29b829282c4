#include "core/engine/device_choice.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <system_error>
#include <thread>

#include "core/base/quote.h"
#include "core/containers/plugin_call.h"
#include "core/engine/cuda_device.h"
#include "core/engine/cuda_plugin.h"

namespace graft {
namespace {

constexpr int64_t least_reserve = int64_t{512} << 20;

// "cuda" is device 0.
int32_t index_of(const std::string& name) {
  if (name == "cuda") return 0;
  int32_t index = -1;
  const char *begin = name.data() + 5, *end = name.data() + name.size();
  if (name.starts_with("cuda:") && begin != end) {
    const auto [stop, error] = std::from_chars(begin, end, index);
    if (error == std::errc() && stop == end && index >= 0) return index;
  }
  fail(StatusCode::invalid_argument, "device is {}, expected auto, cpu, cuda or cuda:N", quote(name));
}

// What only a CPU does as yet; empty where there is nothing.
std::string out_of_reach(const EngineOptions& options) {
  if (options.injection != InjectionMode::kernel) return "only injection kernel runs on a CUDA device in this release";
  return "";
}

// `first`: one of the usable devices.
DeviceChoice on_cuda(const CudaPlugin& cuda, int32_t first, const RankPlace& place) {
  const auto count = static_cast<int64_t>(cuda.usable.size());
  const int64_t begin = std::ranges::find(cuda.usable, first) - cuda.usable.begin();
  const int32_t index = cuda.usable[static_cast<size_t>((begin + place.local_rank) % count)];
  DeviceChoice choice{"cuda:" + std::to_string(index), cuda.plugin, index};
  choice.ranks_on_it = (place.ranks_here + count - 1) / count;
  return choice;
}

}  // namespace

DeviceChoice choose_cpu(std::string reason) {
  DeviceChoice choice;
  choice.reason = std::move(reason);
  return choice;
}

FreeMemory DeviceChoice::memory() const {
  if (is_cpu()) return {physical_memory() / 2};
  int64_t bytes = 0;
  std::exception_ptr failure;
  const auto ask = [&] {
    try {
      plugin_call(plugin->free_memory, "device " + name, index, &bytes);
    } catch (...) {
      failure = std::current_exception();
    }
  };
  // On a thread of its own: it makes the device that thread's, and the caller's is the host's to choose.
  try {
    std::thread(ask).join();
  } catch (const std::system_error& problem) {
    fail(StatusCode::limit_exceeded, "device {}: no thread to ask for its memory: {}", name, problem.what());
  }
  if (failure) std::rethrow_exception(failure);
  return {bytes, std::max(bytes / 20, least_reserve)};
}

DeviceChoice choose_device(const EngineOptions& options, const RankPlace& place) {
  if (options.device == "cpu") return {};
  const bool automatic = options.device.empty() || options.device == "auto";
  const int32_t named = automatic ? 0 : index_of(options.device);
  const std::string beyond = out_of_reach(options);
  if (automatic && !beyond.empty()) return choose_cpu(beyond);
  const CudaPlugin cuda = find_cuda_plugin();
  if (cuda.plugin == nullptr) {
    if (automatic) return choose_cpu(cuda.reason);
    fail(cuda.code, "device {}: {}", quote(options.device), cuda.reason);
  }
  if (named >= cuda.devices) {
    fail(StatusCode::invalid_argument, "device is {}, expected a number below {}", quote(options.device), cuda.devices);
  }
  if (!beyond.empty()) fail(StatusCode::unsupported, "device {}: {}", quote(options.device), beyond);
  const std::string unusable = automatic ? "" : why_unusable(cuda, named);
  if (!unusable.empty()) fail(StatusCode::unsupported, "device {}: {}", quote(options.device), unusable);
  return on_cuda(cuda, automatic ? cuda.usable.front() : named, place);
}

std::unique_ptr<Device> make_device(const DeviceChoice& choice, int32_t threads) {
  if (choice.is_cpu()) return std::make_unique<CpuDevice>(threads);
  return std::make_unique<CudaDevice>(*choice.plugin, choice.index);
}

}  // namespace graft
