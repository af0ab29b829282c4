#include "core/engine/cuda_plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/base/library_file.h"
#include "core/base/quote.h"

namespace graft {
namespace {

// Reasons hold names of files and words of the driver, whatever bytes those are.
CudaPlugin refused(StatusCode code, const std::string& reason, const kernels::DevicePlugin* loaded = nullptr) {
  return {nullptr, 0, {}, code, printable(reason, most_of_path), loaded};
}

// The folder of the library that holds this code.
std::string own_directory() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_cuda_plugin), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string loader_message() {
  const char* text = dlerror();
  return text != nullptr ? text : "the loader gives no reason";
}

// Null with the reason.
void* load(std::string& reason) {
  // A process holds one, whoever loaded it.
  if (void* loaded = dlopen(kernels::cuda_plugin_library, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) return loaded;
  const std::string directory = own_directory(), beside = directory + kernels::cuda_plugin_library;
  const bool is_beside = exists(beside);
  if (const std::string problem = is_beside ? library_file_problem(beside) : ""; !problem.empty()) {
    reason = fmt::format("{} could not be loaded: {}", beside, problem);
    return nullptr;
  }
  void* library = dlopen(is_beside ? beside.c_str() : kernels::cuda_plugin_library, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const std::string message = loader_message();
  if (is_beside) {
    // What the loader says begins with the library at fault: this one, or one that it needs and that is not there.
    const char* fault =
        message.starts_with(beside) ? "could not be loaded" : "needs a library that could not be loaded";
    reason = fmt::format("{} {}: {}", beside, fault, message);
  } else if (message.starts_with(kernels::cuda_plugin_library)) {
    reason = fmt::format("{} is neither in {} nor on the loader's path", kernels::cuda_plugin_library, directory);
  } else {
    reason = fmt::format("{} on the loader's path could not be loaded: {}", kernels::cuda_plugin_library, message);
  }
  return nullptr;
}

// Empty when the table is one that this build may use.
std::string why_not(const kernels::DevicePlugin* plugin) {
  if (plugin == nullptr) return fmt::format("{} gives no table", kernels::cuda_plugin_library);
  if (plugin->version != kernels::device_plugin_version) {
    return fmt::format("{} has table version {}, expected {}; install all libraries from one package",
                       kernels::cuda_plugin_library, plugin->version, kernels::device_plugin_version);
  }
  if (plugin->build_hash == nullptr || std::strcmp(plugin->build_hash, GRAFT_BUILD_HASH) != 0) {
    return fmt::format("{} has build hash {:.80}, expected {}; install all libraries from one package",
                       kernels::cuda_plugin_library, plugin->build_hash != nullptr ? plugin->build_hash : "none",
                       GRAFT_BUILD_HASH);
  }
  return "";
}

}  // namespace

CudaPlugin find_cuda_plugin() {
  std::string reason;
  void* library = load(reason);
  if (library == nullptr) return refused(StatusCode::not_found, reason);
  const auto get = reinterpret_cast<kernels::GetDevicePlugin>(dlsym(library, kernels::get_cuda_plugin_symbol));
  if (get == nullptr) {
    return refused(StatusCode::version_mismatch,
                   fmt::format("{} has no {}", kernels::cuda_plugin_library, kernels::get_cuda_plugin_symbol));
  }
  const kernels::DevicePlugin* plugin = get();
  reason = why_not(plugin);
  if (!reason.empty()) return refused(StatusCode::version_mismatch, reason);
  char text[512] = "no usable CUDA device";
  kernels::PluginError error{text, sizeof text};
  int32_t devices = 0;
  if (plugin->device_count(&devices, &error) != kernels::plugin_ok || devices < 1) {
    return refused(StatusCode::device_error, text, plugin);
  }
  CudaPlugin found{plugin, devices, {}, StatusCode::ok, "", plugin};
  for (int32_t device = 0; device < devices; ++device) {
    kernels::DeviceInfo info;
    if (plugin->device_info(device, &info, &error) == kernels::plugin_ok && info.usable) found.usable.push_back(device);
  }
  if (found.usable.empty()) return refused(StatusCode::device_error, text, plugin);
  return found;
}

std::string why_unusable(const CudaPlugin& cuda, int32_t device) {
  if (std::ranges::find(cuda.usable, device) != cuda.usable.end()) return "";
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  kernels::DeviceInfo info;
  if (cuda.plugin->device_info(device, &info, &error) != kernels::plugin_ok) return text;
  return fmt::format("{} has compute capability {}.{}, expected 8.0 or later", info.name, info.capability_major,
                     info.capability_minor);
}

}  // namespace graft
