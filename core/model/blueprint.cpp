#include "core/model/blueprint.h"

#include <fmt/core.h>

namespace graft {

ParallelRole default_parallel_role(Role role) {
  switch (role) {
    case Role::query:
    case Role::key:
    case Role::value:
    case Role::query_key_value:
    case Role::gate:
    case Role::up:
    case Role::gate_up:
    case Role::head:
      return ParallelRole::column;
    case Role::attention_output:
    case Role::down:
      return ParallelRole::row;
    default:
      return ParallelRole::replicated;
  }
}

ModuleSpec& BlueprintBuilder::add(std::string_view name, std::string class_name, Role role) {
  ModuleSpec spec;
  if (!open_paths_.empty() && !open_paths_.back().empty()) spec.path = open_paths_.back() + ".";
  spec.path += name;
  spec.class_name = std::move(class_name);
  spec.role = role;
  spec.layer = layer_;
  blueprint_.modules.push_back(std::move(spec));
  return blueprint_.modules.back();
}

void BlueprintBuilder::open(std::string_view name, std::string class_name) {
  open_paths_.push_back(add(name, std::move(class_name), Role::none).path);
}

void BlueprintBuilder::close() { open_paths_.pop_back(); }

void BlueprintBuilder::open_layer(int64_t index, std::string class_name) {
  layer_ = static_cast<int32_t>(index);
  open(std::to_string(index), std::move(class_name));
}

void BlueprintBuilder::close_layer() {
  close();
  layer_ = -1;
}

void BlueprintBuilder::embedding(std::string_view name, Role role, int64_t rows, int64_t width, int64_t padding) {
  ModuleSpec& spec = add(name, "Embedding", role);
  spec.detail = fmt::format("{}, {}", rows, width);
  if (padding >= 0) spec.detail += fmt::format(", padding_idx={}", padding);
  spec.parameters = {{"weight", {rows, width}, {}}};
}

void BlueprintBuilder::linear(std::string_view name, Role role, int64_t in_features, int64_t out_features, bool bias) {
  ModuleSpec& spec = add(name, "Linear", role);
  spec.detail =
      fmt::format("in_features={}, out_features={}, bias={}", in_features, out_features, bias ? "True" : "False");
  spec.parallel = default_parallel_role(role);
  spec.parameters = {{"weight", {out_features, in_features}, {}}};
  if (bias) spec.parameters.push_back({"bias", {out_features}, {}});
}

void BlueprintBuilder::conv1d(std::string_view name, Role role, int64_t in_features, int64_t out_features) {
  ModuleSpec& spec = add(name, "Conv1D", role);
  spec.detail = fmt::format("nf={}, nx={}", out_features, in_features);
  spec.layout = LinearLayout::in_out;
  spec.parallel = default_parallel_role(role);
  spec.parameters = {{"weight", {in_features, out_features}, {}}, {"bias", {out_features}, {}}};
}

void BlueprintBuilder::norm(std::string_view name, Role role, std::string class_name, int64_t width,
                            const NormConfig& config) {
  ModuleSpec& spec = add(name, std::move(class_name), role);
  const bool layer_norm = config.kind == NormKind::layer;
  spec.detail = layer_norm ? fmt::format("({},), eps={}, elementwise_affine=True", width, config.epsilon)
                           : fmt::format("({},), eps={}", width, config.epsilon);
  // Checkpoints converted from TensorFlow call them gamma and beta.
  spec.parameters = {{"weight", {width}, {spec.path + ".gamma"}}};
  if (layer_norm) spec.parameters.push_back({"bias", {width}, {spec.path + ".beta"}});
}

void BlueprintBuilder::also_named(std::string_view parameter, std::string full_name) {
  for (ParameterSpec& spec : blueprint_.modules.back().parameters) {
    if (spec.name == parameter) spec.other_names.push_back(std::move(full_name));
  }
}

void BlueprintBuilder::without(std::string_view parameter) {
  std::erase_if(blueprint_.modules.back().parameters,
                [&](const ParameterSpec& spec) { return spec.name == parameter; });
}

void BlueprintBuilder::printed_as(std::string class_name) {
  blueprint_.modules.back().class_name = std::move(class_name);
}

void BlueprintBuilder::plain(std::string_view name, std::string class_name, std::string detail) {
  add(name, std::move(class_name), Role::none).detail = std::move(detail);
}

}  // namespace graft
