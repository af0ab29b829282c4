#include "core/engine/cuda_plugin.h"

#include <dlfcn.h>

#include <cstring>

namespace graft {
namespace {

CudaPlugin refused(StatusCode code, std::string reason) { return {nullptr, 0, code, std::move(reason)}; }

// The folder of the library that holds this code.
std::string own_directory() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_cuda_plugin), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

}  // namespace

CudaPlugin find_cuda_plugin() {
  const std::string beside = own_directory() + kernels::cuda_plugin_library;
  void* library = dlopen(kernels::cuda_plugin_library, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);  // one is enough
  if (library == nullptr) library = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string reason;
  if (library == nullptr) {
    const char* text = dlerror();
    reason = text != nullptr ? text : beside + " could not be loaded";
    library = dlopen(kernels::cuda_plugin_library, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) return refused(StatusCode::not_found, reason);
  const auto get = reinterpret_cast<kernels::GetDevicePlugin>(dlsym(library, kernels::get_cuda_plugin_symbol));
  if (get == nullptr) {
    return refused(StatusCode::version_mismatch,
                   fmt::format("{} has no {}", kernels::cuda_plugin_library, kernels::get_cuda_plugin_symbol));
  }
  const kernels::DevicePlugin* plugin = get();
  if (plugin == nullptr || plugin->build_hash == nullptr) {
    return refused(StatusCode::version_mismatch, fmt::format("{} gives no table", kernels::cuda_plugin_library));
  }
  if (plugin->version != kernels::device_plugin_version || std::strcmp(plugin->build_hash, GRAFT_BUILD_HASH) != 0) {
    return refused(StatusCode::version_mismatch,
                   fmt::format("{} is of version {} and build {}, expected {} and {}", kernels::cuda_plugin_library,
                               plugin->version, plugin->build_hash, kernels::device_plugin_version, GRAFT_BUILD_HASH));
  }
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  int32_t devices = 0;
  if (plugin->device_count(&devices, &error) != 0) return refused(StatusCode::device_error, text);
  if (devices < 1) return refused(StatusCode::device_error, "no CUDA device");
  return {plugin, devices, StatusCode::ok, ""};
}

}  // namespace graft
