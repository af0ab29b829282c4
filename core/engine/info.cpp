#include "core/engine/info.h"

#include <nlohmann/json.hpp>

#include "core/model/module.h"

namespace graft {
namespace {

const char* mode_name(InjectionMode mode) {
  switch (mode) {
    case InjectionMode::kernel:
      return "kernel";
    case InjectionMode::none:
      return "none";
    case InjectionMode::automatic:
      return "auto";
  }
  return "";
}

const char* role_name(ParallelRole role) {
  switch (role) {
    case ParallelRole::column:
      return "column";
    case ParallelRole::row:
      return "row";
    case ParallelRole::replicated:
      break;
  }
  return "replicated";
}

const char* head_name(HeadKind kind) {
  switch (kind) {
    case HeadKind::none:
      break;
    case HeadKind::language:
      return "language";
    case HeadKind::sequence_labels:
      return "sequence_labels";
    case HeadKind::token_labels:
      return "token_labels";
    case HeadKind::embedding:
      return "embedding";
  }
  return "none";
}

// One entry per distinct linear of a layer; layers repeat.
nlohmann::json parallel_plan(const Blueprint& blueprint) {
  nlohmann::json plan = nlohmann::json::object();
  for (const ModuleSpec& module : blueprint.modules) {
    if (module.layer > 0 || module.role == Role::none || module.parallel == ParallelRole::replicated) continue;
    plan[module.path] = role_name(module.parallel);
  }
  return plan;
}

// null: weights stay in the float type
nlohmann::json describe_quantization(const Quantization& quantization) {
  if (quantization.bits == 0) return nullptr;
  return {{"bits", quantization.bits}, {"group_size", quantization.group_size}};
}

// Linears of a layer that no rule splits: every rank holds them whole.
nlohmann::json whole_linears(const Blueprint& blueprint) {
  nlohmann::json paths = nlohmann::json::array();
  for (const ModuleSpec& module : blueprint.modules) {
    const bool linear = module.class_name.ends_with("Linear") || module.class_name == "Conv1D";
    if (linear && module.layer == 0 && module.parallel == ParallelRole::replicated) paths.push_back(module.path);
  }
  return paths;
}

}  // namespace

std::string describe_sums(const RankSums& sums) {
  std::string text = (sums.peers != RankSums::Peers::none ? "peer memory + " : "") + std::string(name_of(sums.way));
  return sums.reason.empty() ? text : text + ": " + sums.reason;
}

std::string describe_graph(const EngineOptions& options, const RankSums& sums) {
  if (options.injection != InjectionMode::kernel) return "off: the client model runs directly on CPU";
  if (!options.graph) return "off";
  return sums.way == RankSums::Way::staged ? "off: sums of ranks go through the host" : "on";
}

nlohmann::json describe_plan(const ModelPlan& plan, const EngineOptions& options, bool loaded) {
  const ModelConfig& config = plan.config();
  nlohmann::json replaced = nlohmann::json::array();
  for (const Replacement& entry : plan_replacements(plan.match.blueprint, options.injection)) {
    replaced.push_back({{"class", entry.class_name}, {"count", entry.count}, {"replaced_by", entry.replaced_by}});
  }
  nlohmann::json json = {
      {"path", plan.checkpoint.path()},
      {"policy", plan.match.name},
      {"model_type", config.model_type},
      {"architecture", config.architecture},
      {"device", plan.device.name},
      {"dtype", name_of(plan.dtype)},
      {"quantization", describe_quantization(plan.quantization)},
      {"injection", mode_name(options.injection)},
      {"replaced", replaced},
      {"graph", describe_graph(options, plan.sums)},
      {"tensor_parallel",
       {{"size", plan.place.share.ranks},
        {"rank", plan.place.share.rank},
        {"plan", parallel_plan(plan.match.blueprint)},
        {"unclassified", whole_linears(plan.match.blueprint)}}},
      {"threads", plan.threads},
      {"layers", config.layers.size()},
      {"hidden_size", config.hidden_size},
      {"vocabulary", config.vocabulary},
      {"encoder", config.encoder},
      {"head", head_name(config.head.kind)},
      {"labels", config.head.labels},
      {"multi_label", config.head.multi_label},
      {"context_limit", plan.limits.context},
      {"max_sequences", plan.limits.sequences},
      {"weight_bytes", plan.memory.weight_bytes},
      {"cache_bytes", plan.memory.cache_bytes},
      {"working_bytes", plan.memory.working_bytes},
      {"eos_tokens", config.generation.eos_tokens},
  };
  json["tensor_parallel"]["sums_of_ranks"] = describe_sums(plan.sums);
  if (!plan.device.reason.empty()) json["device_reason"] = plan.device.reason;
  if (!loaded) json["tree"] = print_tree(*build_tree(plan.match.blueprint));
  return json;
}

}  // namespace graft
