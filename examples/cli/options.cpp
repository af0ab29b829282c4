#include "options.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "ranks.h"
#include "user_policy.h"

namespace cli {
namespace {

/// Refuses other values; the help text lists the choices itself.
CLI::Validator one_of(const std::vector<std::string>& choices) { return CLI::IsMember(choices).description(""); }

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_injection_mode(const std::string& value) { return value == "kernel" || value == "auto" || value == "none"; }

void set_text(const char* option, graft_status (*setter)(graft_engine_options*, const char*, int64_t),
              graft_engine_options* target, const std::optional<std::string>& value) {
  if (value) check_option(option, setter(target, value->data(), static_cast<int64_t>(value->size())));
}

void set_number(const char* option, graft_status (*setter)(graft_engine_options*, int64_t),
                graft_engine_options* target, const std::optional<int64_t>& value) {
  if (value) check_option(option, setter(target, *value));
}

void set_quantization(graft_engine_options* target, const CommonOptions& options) {
  if (!options.group_size) return;
  const int32_t bits = options.dtype == "int4" ? 4 : 8;
  check_option("--group-size", graft_engine_options_set_quantization(target, bits, *options.group_size));
}

void set_injection(graft_engine_options* target, const CommonOptions& options) {
  if (!options.injection) return;
  if (is_injection_mode(*options.injection)) {
    set_text("--inject", graft_engine_options_set_injection, target, options.injection);
    return;
  }
  // A user's policy says where the row-parallel linears are, so the layers are split over ranks, not replaced.
  check(graft_engine_options_set_injection(target, "auto", -1));
  add_row_parallel_policies(target, *options.injection);
}

void set_policies(graft_engine_options* target, const CommonOptions& options) {
  for (const std::string& path : options.policy_files) {
    const std::string json = read_option_file("--policy", path);
    graft_policy* made = nullptr;
    const graft_status status = graft_policy_from_json(json.data(), static_cast<int64_t>(json.size()), &made);
    if (status != GRAFT_STATUS_OK) throw Failure(status, "--policy " + path + ": " + graft_last_error_message());
    const Policy policy(made);
    check(graft_engine_options_add_policy(target, policy.get()));
  }
}

}  // namespace

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("MODEL", options.model, "Model directory, or one .gguf file")->required()->type_name("");
  const char* group = "Common options";
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->group(group);
  };
  add("--device", options.device, "auto|cpu|cuda[:N] (auto)")->type_name("NAME");
  add("--dtype", options.dtype, "auto|float32|bfloat16|float16|int8|int4 (auto: as stored)")
      ->check(one_of({"auto", "float32", "bfloat16", "float16", "int8", "int4"}))
      ->type_name("TYPE");
  add("--tp", options.tensor_parallel, "Ranks that each layer is split over (1)")->type_name("N");
  add("--ep", options.expert_parallel, "Ranks that the experts are shared out over; divides --tp (1)")->type_name("N");
  add("--inject", options.injection, "kernel|auto|none, or a file {layer class: row-parallel linears} (kernel)")
      ->type_name("MODE");
  add("--policy", options.policy_files, "Architecture described in a JSON file; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE.json");
  add("--graph", options.graph, "on|off: record the step once and replay it (on)")
      ->check(one_of({"on", "off"}))
      ->type_name("SWITCH");
  add("--threads", options.threads, "Kernel threads; 0 = one per core (0)")->type_name("N");
  add("--group-size", options.group_size, "Values that share a scale, with --dtype int8 or int4")->type_name("N");
  add("--weights", options.weights, "map|read: map the weight files, or copy them (map)")
      ->check(one_of({"map", "read"}))
      ->type_name("HOW");
  add("--config", options.config_file, "DeepSpeed-Inference config; other options win over it")->type_name("FILE.json");
  app.add_flag("--profile", options.profile, "Print where the time went, on stderr")->group(group);
  app.add_flag("--json", options.json, "Print one JSON object per line")->group(group);
}

void validate(const CommonOptions& options) {
  const int64_t tp = options.tensor_parallel.value_or(launched_ranks().world);
  const int64_t ep = options.expert_parallel.value_or(1);
  if (options.tensor_parallel && tp < 1) throw UsageError("--tp: found " + std::to_string(tp) + ", expected 1 or more");
  if (ep < 1) throw UsageError("--ep: found " + std::to_string(ep) + ", expected 1 or more");
  if (!options.config_file && tp % ep != 0) {
    throw UsageError("--ep: " + std::to_string(ep) + " does not divide --tp " + std::to_string(tp));
  }
  if (options.injection == "none" && tp > 1) {
    throw UsageError("--inject none: the plain model cannot be split, but --tp is " + std::to_string(tp));
  }
  if (options.threads && *options.threads < 0) {
    throw UsageError("--threads: found " + std::to_string(*options.threads) + ", expected 0 or more");
  }
  if (options.group_size && options.dtype != "int8" && options.dtype != "int4") {
    throw UsageError("--group-size: only with --dtype int8 or --dtype int4");
  }
  if (options.group_size && *options.group_size < 1) {
    throw UsageError("--group-size: found " + std::to_string(*options.group_size) + ", expected 1 or more");
  }
  if (options.injection && !is_injection_mode(*options.injection) && !file_exists(*options.injection)) {
    throw UsageError("--inject: '" + *options.injection + "' is neither kernel, auto, none nor a file");
  }
}

EngineOptions make_engine_options(const CommonOptions& options) {
  validate(options);
  EngineOptions made = make<EngineOptions>(graft_engine_options_new);
  graft_engine_options* target = made.get();
  if (options.config_file) {
    const std::string json = read_option_file("--config", *options.config_file);
    const graft_status status = graft_engine_options_set_json(target, json.data(), static_cast<int64_t>(json.size()));
    if (status != GRAFT_STATUS_OK) throw Failure(status, *options.config_file + ": " + graft_last_error_message());
  }
  set_text("--device", graft_engine_options_set_device, target, options.device);
  set_text("--dtype", graft_engine_options_set_dtype, target, options.dtype);
  set_quantization(target, options);
  set_number("--tp", graft_engine_options_set_tensor_parallel, target, options.tensor_parallel);
  set_number("--ep", graft_engine_options_set_expert_parallel, target, options.expert_parallel);
  set_number("--threads", graft_engine_options_set_threads, target, options.threads);
  set_number("--batch", graft_engine_options_set_max_queue, target, options.max_queue);
  set_number("--batch", graft_engine_options_set_max_sequences, target, options.max_sequences);
  if (options.graph) check(graft_engine_options_set_graph(target, *options.graph == "on" ? 1 : 0));
  if (options.weights) {
    check(
        graft_engine_options_set_weights(target, *options.weights == "read" ? GRAFT_WEIGHTS_READ : GRAFT_WEIGHTS_MAP));
  }
  set_injection(target, options);
  set_policies(target, options);
  set_launched_rank(target, options.tensor_parallel);
  return made;
}

std::string read_option_file(const std::string& option, const std::string& path) {
  if (!file_exists(path)) throw Failure(GRAFT_STATUS_NOT_FOUND, option + " " + path + ": no such file");
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw Failure(GRAFT_STATUS_IO_ERROR, option + " " + path + ": cannot be read");
  }
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

}  // namespace cli
