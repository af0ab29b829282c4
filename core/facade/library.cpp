#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/log.h"
#include "core/engine/cuda_plugin.h"
#include "core/engine/rank_sums.h"
#include "core/facade/objects.h"
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

nlohmann::json describe_device(const kernels::DevicePlugin& plugin, int32_t device) {
  nlohmann::json json = {{"device", fmt::format("cuda:{}", device)}};
  char text[512] = "";
  kernels::PluginError error{text, sizeof text};
  kernels::DeviceInfo info{};
  if (plugin.device_info(device, &info, &error) != kernels::plugin_ok) {
    json["error"] = text;
    return json;
  }
  json["name"] = info.name;
  json["memory_bytes"] = info.memory_bytes;
  json["capability"] = fmt::format("{}.{}", info.capability_major, info.capability_minor);
  json["multiprocessors"] = info.multiprocessors;
  json["l2_bytes"] = info.l2_bytes;
  return json;
}

nlohmann::json describe_devices(const CudaPlugin& cuda) {
  nlohmann::json devices = nlohmann::json::array();
  devices.push_back({{"device", "cpu"}, {"cores", std::thread::hardware_concurrency()}});
  for (int32_t device = 0; device < cuda.devices; ++device) {
    devices.push_back(describe_device(*cuda.plugin, device));
  }
  return devices;
}

// Of interest to several devices.
std::string describe_nccl(const CudaPlugin& cuda) {
  if (cuda.devices < 2) return "not used: fewer than two CUDA devices";
  const std::string problem = nccl_problem();
  return problem.empty() ? "found" : "not used: " + problem;
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
