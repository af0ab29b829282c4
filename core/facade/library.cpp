#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/log.h"
#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/engine/cuda_plugin.h"
#include "core/facade/objects.h"
#include "core/parallel/nccl.h"
#include "core/policies/policy.h"
#include "kernels/cpu/select.h"

namespace graft::facade {
namespace {

void set_log(int32_t level, void (*write)(void* user, int32_t level, const char* message), void* user) {
  log_set(static_cast<LogLevel>(level), write, user);
}

const char* best_isa() {
  using kernels::Isa;
  if (kernels::machine_has(Isa::avx512)) return "avx512";
  if (kernels::machine_has(Isa::avx2)) return "avx2";
  return "baseline";
}

nlohmann::json describe_device(const CudaPlugin& cuda, int32_t device) {
  nlohmann::json json = {{"device", fmt::format("cuda:{}", device)}};
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  kernels::DeviceInfo info{};
  if (cuda.plugin->device_info(device, &info, &error) != kernels::plugin_ok) {
    json["error"] = text;
    return json;
  }
  json["name"] = info.name;
  json["memory_bytes"] = info.memory_bytes;
  json["capability"] = fmt::format("{}.{}", info.capability_major, info.capability_minor);
  json["multiprocessors"] = info.multiprocessors;
  json["l2_bytes"] = info.l2_bytes;
  const std::string reason = why_unusable(cuda, device);
  if (!reason.empty()) json["not_used"] = reason;
  return json;
}

nlohmann::json describe_devices(const CudaPlugin& cuda) {
  nlohmann::json devices = nlohmann::json::array();
  devices.push_back({{"device", "cpu"}, {"cores", std::thread::hardware_concurrency()}});
  for (int32_t device = 0; device < cuda.devices; ++device) {
    devices.push_back(describe_device(cuda, device));
  }
  return devices;
}

// A library that devices use: looked for on any machine, so that one that waits for its devices can be made ready.
// `problem` is empty where it was found, `idle` where this machine has a use for it.
std::string describe_library(const std::string& version, const std::string& problem, const std::string& without,
                             const std::string& idle) {
  std::string text = problem.empty() ? "found, version " + version : "not usable: " + problem;
  if (!idle.empty()) return text + "; not used: " + idle;
  return problem.empty() ? text : text + "; " + without;
}

std::string describe_nccl(const CudaPlugin& cuda) {
  std::string version, problem;
  try {
    version = nccl_version();
  } catch (const Error& error) {
    problem = printable(error.what(), most_of_path);
  }
  return describe_library(version, problem, "ranks on several devices add up without it",
                          cuda.usable.size() < 2 ? "fewer than two usable CUDA devices" : "");
}

std::string describe_cublas_lt(const CudaPlugin& cuda) {
  if (cuda.loaded == nullptr) return "not looked for: that is done by libgraft_cuda.so";
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  kernels::LibraryInfo info{};
  const bool found = cuda.loaded->library_info(&info, &error) == kernels::plugin_ok;
  return describe_library(info.version, found ? "" : printable(text, most_of_path),
                          "matrix products are left to Graft's own kernels",
                          cuda.usable.empty() ? "no usable CUDA device" : "");
}

int32_t doctor(Buffer* out, ErrorText* error) {
  return guarded(error, [&] {
    nlohmann::json policies = nlohmann::json::array();
    for (const Policy* policy : graft::policies()) policies.push_back(policy->name);
    const CudaPlugin cuda = find_cuda_plugin();
    const nlohmann::json json = {
        {"devices", describe_devices(cuda)},
        {"kernels", best_isa()},
        {"kernels_problem", kernels::forced_isa_problem() != nullptr ? kernels::forced_isa_problem() : ""},
        {"policies", policies},
        {"cuda", cuda.plugin != nullptr ? "found" : "not used: " + cuda.reason},
        {"cublas_lt", describe_cublas_lt(cuda)},
        {"nccl", describe_nccl(cuda)},
    };
    assign(*out, json.dump());
  });
}

}  // namespace

void fill_library(Table& table) {
  table.log_set = set_log;
  table.doctor = doctor;
}

}  // namespace graft::facade
