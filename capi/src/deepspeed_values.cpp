// What each value of a DeepSpeed configuration means for an engine's options.
#include <algorithm>
#include <array>
#include <utility>

#include "capi/src/arguments.h"
#include "capi/src/deepspeed_config.h"

namespace graft::capi {
namespace {

const GivenValue* find(const GivenValues& given, const char* path) {
  const auto found = given.find(path);
  return found != given.end() ? &found->second : nullptr;
}

std::string shown(const Json& value) {
  return value.is_string() ? in_quotes(value.get_ref<const std::string&>())
                           : in_quotes(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void check_type(const GivenValue& given, const Json& preset) {
  const auto& [path, value] = given;
  if (preset.is_boolean()) json_flag(path, value);
  if (preset.is_string()) json_text(path, value);
  if (preset.is_number_integer()) integer(path.c_str(), json_integer(path, value), 1);
  if (preset.is_object() && !value.is_object()) fail_type(path, value, "an object");
  if (preset.is_array()) {
    for (const int64_t number : json_integers(path, value)) integer(path.c_str(), number, 1);
  }
}

// moe.moe_experts may be one number too.
void check_value(const GivenValue& given, const DeepSpeedKey& row) {
  const Json preset = Json::parse(row.preset);
  const bool one_of_many = preset.is_array() && given.value.is_number_integer();
  const Json value = one_of_many ? Json::array({given.value}) : given.value;
  check_type({given.path, value}, preset);
  if (row.effect == Effect::refused && value != preset) {
    fail(GRAFT_STATUS_UNSUPPORTED, "%s: found %s, which Graft does not offer, expected %s: %s", given.path.c_str(),
         shown(given.value).c_str(), row.preset, row.reason);
  }
}

// Sets a key of Graft's own; the caller may have given it too, then with the same value.
void put(DeepSpeedConfig& config, const char* key, const std::string& source, Json value) {
  const auto present = config.native.find(key);
  if (present != config.native.end() && *present != value) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s and %s: found %s and %s, expected one of the keys, or the same value",
         source.c_str(), key, shown(value).c_str(), shown(*present).c_str());
  }
  config.native[key] = std::move(value);
}

bool flag_of(const GivenValues& given, const char* path, bool preset) {
  const GivenValue* value = find(given, path);
  return value != nullptr ? value->value.get<bool>() : preset;
}

// The names that DeepSpeed knows, with or without "torch." before them.
void take_dtype(const GivenValue& given, DeepSpeedConfig& config) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 9> names = {{{"fp32", "float32"},
                                                                                     {"float", "float32"},
                                                                                     {"fp16", "float16"},
                                                                                     {"half", "float16"},
                                                                                     {"bf16", "bfloat16"},
                                                                                     {"bfloat", "bfloat16"},
                                                                                     {"float32", "float32"},
                                                                                     {"float16", "float16"},
                                                                                     {"bfloat16", "bfloat16"}}};
  std::string_view name = json_text(given.path, given.value);
  if (name.substr(0, 6) == "torch.") name.remove_prefix(6);
  for (const auto& [known, native] : names) {
    if (name == known) {
      config.native["dtype"] = native;
      return;
    }
  }
  config.native["dtype"] = name == "int8" ? "int8" : given.value.get<std::string>();  // its setter refuses the rest
}

void take_policy(const GivenValue& given, DeepSpeedConfig& config) {
  const auto& [path, table] = given;
  if (table.is_null()) return;
  if (!table.is_object()) fail_type(path, table, "an object {layer class: row-parallel linears}");
  for (const auto& [layer_class, value] : table.items()) {
    std::string key = path;
    key.append(".").append(layer_class);
    graft_policy policy;
    policy.layer_class = word(path.c_str(), layer_class.data(), static_cast<int64_t>(layer_class.size()));
    const Json names = value.is_string() ? Json::array({value}) : value;
    if (!names.is_array() || names.empty()) fail_type(key, value, "a name, or an array of names");
    for (const Json& name : names) {
      const std::string& text = json_text(key, name);
      policy.names.emplace_back(word(key.c_str(), text.data(), static_cast<int64_t>(text.size())));
    }
    config.policies.push_back(std::move(policy));
  }
}

void take_injection(const GivenValues& given, DeepSpeedConfig& config) {
  const GivenValue* policy = find(given, "injection_policy");
  if (policy != nullptr) take_policy(*policy, config);
  const GivenValue* kernel = find(given, "replace_with_kernel_inject");
  if (kernel == nullptr) return;
  const bool on = json_flag(kernel->path, kernel->value);
  if (on && policy != nullptr && !config.policies.empty()) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s and %s: found a policy and true, expected only one of them",
         policy->path.c_str(), kernel->path.c_str());
  }
  put(config, "injection", kernel->path, on ? "kernel" : "auto");  // "auto" over one rank is the plain model
}

void take_ranks(const GivenValues& given, DeepSpeedConfig& config) {
  if (const GivenValue* size = find(given, "tensor_parallel.tp_size")) {
    const bool on = flag_of(given, "tensor_parallel.enabled", true);
    put(config, "tensor_parallel", size->path, on ? size->value : Json(1));
  }
  if (const GivenValue* grain = find(given, "tensor_parallel.tp_grain_size")) {
    config.tensor_parallel_grain = grain->value.get<int64_t>();
  }
  if (const GivenValue* size = find(given, "moe.ep_size")) {
    put(config, "expert_parallel", size->path, flag_of(given, "moe.enabled", true) ? size->value : Json(1));
  }
}

// An empty section is DeepSpeed's default, and asks for nothing.
void take_quantization(const GivenValues& given, DeepSpeedConfig& config) {
  const GivenValue* bits = find(given, "quant.weight.num_bits");
  if (bits != nullptr && bits->value != 4 && bits->value != 8) fail_type(bits->path, bits->value, "4 or 8");
  const bool off = !flag_of(given, "quant.enabled", true) || !flag_of(given, "quant.weight.enabled", true);
  const GivenValue* source = bits;
  for (const char* path : {"quant.weight.enabled", "quant.enabled"}) {
    if (find(given, path) != nullptr) source = find(given, path);
  }
  const bool activation = find(given, "quant.activation.num_bits") != nullptr ||
                          find(given, "quant.activation.q_groups") != nullptr ||
                          find(given, "quant.activation.q_type") != nullptr;
  if (flag_of(given, "quant.enabled", true) && flag_of(given, "quant.activation.enabled", activation)) {
    fail(GRAFT_STATUS_UNSUPPORTED, "quant.activation: Graft does not quantise activations, expected enabled false");
  }
  if (off || source == nullptr) return;
  if (!flag_of(given, "quant.qkv.enabled", true)) {
    fail(GRAFT_STATUS_UNSUPPORTED, "%s: found false, expected true: all linears of a layer are quantised, or none",
         find(given, "quant.qkv.enabled")->path.c_str());
  }
  if (config.native.contains("quantization")) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s and quantization: found both, expected one of the keys",
         source->path.c_str());
  }
  config.native["quantization"] = {{"bits", bits != nullptr ? bits->value : Json(8)}};
}

void take_budget(const GivenValues& given, DeepSpeedConfig& config) {
  const GivenValue* most = find(given, "max_out_tokens");
  const GivenValue* least = find(given, "min_out_tokens");
  if (most != nullptr) put(config, "context_limit", most->path, most->value);
  if (least == nullptr) return;
  config.least_context = least->value.get<int64_t>();
  if (most != nullptr && config.least_context > most->value.get<int64_t>()) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %lld, expected at most %s, %lld", least->path.c_str(),
         static_cast<long long>(config.least_context), most->path.c_str(),
         static_cast<long long>(most->value.get<int64_t>()));
  }
}

}  // namespace

void take_deepspeed_values(const GivenValues& given, DeepSpeedConfig& config) {
  for (const DeepSpeedKey& row : deepspeed_keys) {
    const GivenValue* value = find(given, row.name);
    if (value == nullptr || row.effect == Effect::section) continue;
    check_value(*value, row);
    const bool unused_path = row.effect == Effect::ignored && std::string_view(row.preset) == "null";
    if (unused_path && !value->value.is_null()) {
      config.warnings.push_back(value->path + " has no effect, in Graft as in DeepSpeed");
    }
  }
  if (const GivenValue* dtype = find(given, "dtype")) take_dtype(*dtype, config);
  take_injection(given, config);
  take_ranks(given, config);
  take_quantization(given, config);
  take_budget(given, config);
  if (const GivenValue* graph = find(given, "enable_cuda_graph")) put(config, "graph", graph->path, graph->value);
}

}  // namespace graft::capi
