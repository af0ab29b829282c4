#include "core/injection/inject.h"

#include "core/base/status.h"

namespace graft {
namespace {

void drop_parameters(Module& module) {
  module.parameters().clear();
  for (const auto& child : module.children()) drop_parameters(*child);
}

const Module& require(const Module& root, Role role, const char* what) {
  const Module* module = root.find(role);
  if (module == nullptr) fail(StatusCode::unsupported, "kernel injection: the model has no {}", what);
  return *module;
}

NormTensors norm_of(const Module& root, Role role, const char* what) {
  const Module& module = require(root, role, what);
  return {module.parameter("weight"), module.parameter("bias")};
}

LinearTensors linear_of(const Module& root, Role role, const char* what) {
  const Module& module = require(root, role, what);
  return {module.parameter("weight").contiguous(), module.parameter("bias")};
}

FusedModel::Outer take_outer(const Module& root, const ModelConfig& config) {
  FusedModel::Outer outer;
  outer.token_embedding = require(root, Role::token_embedding, "token embedding").parameter("weight").contiguous();
  if (const Module* positions = root.find(Role::position_embedding)) {
    outer.position_embedding = positions->parameter("weight").contiguous();
  }
  if (const Module* types = root.find(Role::token_type_embedding)) {
    outer.type_embedding = types->parameter("weight").contiguous();
  }
  if (config.embedding_norm) outer.embedding_norm = norm_of(root, Role::embedding_norm, "embedding norm");
  if (config.final_norm) outer.final_norm = norm_of(root, Role::final_norm, "final norm");
  if (config.head.kind == HeadKind::none) return outer;
  if (config.head.dense) outer.head_dense = linear_of(root, Role::head_dense, "dense part of the head");
  if (config.head.dense_norm) outer.head_norm = norm_of(root, Role::head_norm, "norm of the head");
  outer.head = linear_of(root, Role::head, "head");
  return outer;
}

bool is_embedding(Role role) {
  return role == Role::token_embedding || role == Role::position_embedding || role == Role::token_type_embedding ||
         role == Role::embedding_norm;
}

bool is_head(Role role) {
  return role == Role::final_norm || role == Role::head_dense || role == Role::head_norm || role == Role::head;
}

}  // namespace

std::vector<Replacement> plan_replacements(const Blueprint& blueprint, InjectionMode mode) {
  std::vector<Replacement> plan;
  if (mode != InjectionMode::kernel) return plan;
  const auto count = [&](const std::string& class_name, const char* by) {
    for (Replacement& entry : plan) {
      if (entry.class_name == class_name && entry.replaced_by == by) {
        ++entry.count;
        return;
      }
    }
    plan.push_back({class_name, 1, by});
  };
  int32_t last_layer = -1;
  for (const ModuleSpec& module : blueprint.modules) {
    if (module.layer >= 0) {
      if (module.layer != last_layer) count(module.class_name, "FusedDecoderLayer");
      last_layer = module.layer;
    } else if (is_embedding(module.role)) {
      count(module.class_name, "embedding kernel");
    } else if (is_head(module.role)) {
      count(module.class_name, "fused head");
    }
  }
  return plan;
}

std::unique_ptr<FusedModel> inject_kernels(ClientModel& client, DType dtype, const Quantization& quantization) {
  Module& root = client.root();
  FusedModel::Outer outer = take_outer(root, client.config());
  std::vector<std::unique_ptr<FusedDecoderLayer>> layers;
  const std::vector<Module*> modules = decoder_layers(root);
  for (size_t i = 0; i < modules.size(); ++i) {
    LayerTensors tensors = take_tensors(*modules[i]);
    drop_parameters(*modules[i]);
    convert_to_dtype(tensors, dtype);
    transpose_to_kernel_layout(tensors);
    quantize(tensors, quantization);
    layers.push_back(std::make_unique<FusedDecoderLayer>(client.config().layers[i], std::move(tensors)));
  }
  drop_parameters(root);
  return std::make_unique<FusedModel>(client.config(), std::move(outer), std::move(layers));
}

}  // namespace graft
