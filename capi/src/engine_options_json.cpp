// graft_engine_options_set_json: each key goes through the setter of its name, so both have the same checks. Keys of a
// DeepSpeed configuration become Graft's own before that.
#include "capi/src/arguments.h"
#include "capi/src/deepspeed_config.h"
#include "capi/src/json.h"
#include "capi/src/log.h"
#include "capi/src/private.h"
#include "graft/engine_options.h"

using namespace graft::capi;

namespace {

using Options = graft_engine_options;

// The members of a nested object, each known and each at most once.
template <class Take>
void take_members(const std::string& key, const Json& value, const char* known, Take&& take) {
  if (!value.is_object()) fail_type(key, value, "an object");
  for (const auto& [name, member] : value.items()) {
    std::string path = key;
    path.append(".").append(name);
    if (!take(name, path, member)) fail_unknown_key(path, known);
  }
}

void set_quantization(Options* options, const std::string& key, const Json& value) {
  int64_t bits = options->quantization_bits;
  int64_t group_size = options->quantization_group;
  take_members(key, value, "bits, group_size",
               [&](const std::string& name, const std::string& path, const Json& member) {
                 if (name == "bits") return bits = integer(path.c_str(), json_integer(path, member), 0, 8), true;
                 if (name == "group_size") return group_size = json_integer(path, member), true;
                 return false;
               });
  check(graft_engine_options_set_quantization(options, static_cast<int32_t>(bits), group_size));
}

void set_rank(Options* options, const std::string& key, const Json& value) {
  int64_t rank = options->rank, world = options->world, port = options->port, timeout_ms = options->timeout_ms;
  std::string address = options->address;
  take_members(key, value, "rank, world, address, port, timeout_ms",
               [&](const std::string& name, const std::string& path, const Json& member) {
                 if (name == "rank") return rank = json_integer(path, member), true;
                 if (name == "world") return world = json_integer(path, member), true;
                 if (name == "address") return address = json_text(path, member), true;
                 if (name == "port") return port = json_integer(path, member), true;
                 if (name == "timeout_ms") return timeout_ms = json_integer(path, member), true;
                 return false;
               });
  check(graft_engine_options_set_rank(options, rank, world, address.data(), static_cast<int64_t>(address.size()), port,
                                      timeout_ms));
}

void set_weights(Options* options, const std::string& key, const Json& value) {
  check(graft_engine_options_set_weights(options, json_choice(key, value, {"map", "read"})));
}

constexpr JsonKey<Options> keys[] = {
    {"device", set_text<graft_engine_options_set_device>},
    {"dtype", set_text<graft_engine_options_set_dtype>},
    {"quantization", set_quantization},
    {"tensor_parallel", set_integer<graft_engine_options_set_tensor_parallel>},
    {"expert_parallel", set_integer<graft_engine_options_set_expert_parallel>},
    {"rank", set_rank},
    {"injection", set_text<graft_engine_options_set_injection>},
    {"graph", set_flag<graft_engine_options_set_graph>},
    {"threads", set_integer<graft_engine_options_set_threads>},
    {"context_limit", set_integer<graft_engine_options_set_context_limit>},
    {"max_sequences", set_integer<graft_engine_options_set_max_sequences>},
    {"max_queue", set_integer<graft_engine_options_set_max_queue>},
    {"run_ahead_ms", set_integer<graft_engine_options_set_run_ahead_ms>},
    {"memory_limit", set_integer<graft_engine_options_set_memory_limit>},
    {"weights", set_weights},
    {"library_directory", set_text<graft_engine_options_set_library_directory>},
};

}  // namespace

graft_status graft_engine_options_set_json(graft_engine_options* options, const char* json, int64_t json_size) {
  return call([&] {
    graft_engine_options& self = required("options", options);
    const Json object = parse_json("json", text("json", json, json_size));
    if (!object.is_object()) fail_type("json", object, "an object");
    std::vector<std::string_view> names;
    for (const JsonKey<Options>& key : keys) names.emplace_back(key.name);
    DeepSpeedConfig config = read_deepspeed_config(object, names);
    graft_engine_options changed = self;
    set_members(changed, config.native, keys);
    if (config.tensor_parallel_grain > 0) changed.tensor_parallel_grain = config.tensor_parallel_grain;
    if (config.least_context > 0) changed.least_context = config.least_context;
    for (graft_policy& policy : config.policies) changed.policies.push_back(std::move(policy));
    self = std::move(changed);
    for (const std::string& warning : config.warnings) log_warning(warning.c_str());
    return GRAFT_STATUS_OK;
  });
}
