#include "core/injection/inject.h"

#include "core/base/status.h"

namespace graft {
namespace {

void drop_parameters(Module& module) {
  module.parameters().clear();
  for (const auto& child : module.children()) drop_parameters(*child);
}

const at::Tensor& weight_of(Module& root, Role role, const char* what) {
  const Module* module = root.find(role);
  if (module == nullptr) fail(StatusCode::unsupported, "kernel injection: the model has no {}", what);
  return module->parameter("weight");
}

FusedModel::Outer take_outer(Module& root) {
  FusedModel::Outer outer;
  outer.token_embedding = weight_of(root, Role::token_embedding, "token embedding").contiguous();
  if (const Module* positions = root.find(Role::position_embedding)) {
    outer.position_embedding = positions->parameter("weight").contiguous();
  }
  const Module* norm = root.find(Role::final_norm);
  if (norm == nullptr) fail(StatusCode::unsupported, "kernel injection: the model has no final norm");
  outer.final_norm = {norm->parameter("weight"), norm->parameter("bias")};
  outer.head.weight = weight_of(root, Role::head, "head").contiguous();
  outer.head.bias = root.find(Role::head)->parameter("bias");
  return outer;
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
    } else if (module.role == Role::token_embedding || module.role == Role::position_embedding) {
      count(module.class_name, "embedding kernel");
    } else if (module.role == Role::final_norm || module.role == Role::head) {
      count(module.class_name, "fused head");
    }
  }
  return plan;
}

std::unique_ptr<FusedModel> inject_kernels(ClientModel& client, DType dtype) {
  Module& root = client.root();
  FusedModel::Outer outer = take_outer(root);
  std::vector<std::unique_ptr<FusedDecoderLayer>> layers;
  const std::vector<Module*> modules = decoder_layers(root);
  for (size_t i = 0; i < modules.size(); ++i) {
    LayerTensors tensors = take_tensors(*modules[i]);
    drop_parameters(*modules[i]);
    convert_to_dtype(tensors, dtype);
    transpose_to_kernel_layout(tensors);
    layers.push_back(std::make_unique<FusedDecoderLayer>(client.config().layers[i], std::move(tensors)));
  }
  drop_parameters(root);
  return std::make_unique<FusedModel>(client.config(), std::move(outer), std::move(layers));
}

}  // namespace graft
