#include "core/injection/inject.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include "core/base/status.h"
#include "core/model/torch_dtype.h"

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

// Where they are deferred, weights are in the type they are stored in, and are placed in `dtype`.
FusedModel::Outer take_outer(const Module& root, const ModelConfig& config, DType dtype,
                             const WeightPlacement& placement) {
  const bool deferred = placement.is_deferred();
  const auto linear_of = [&](const Module& from, Role role, const char* what) {
    LinearTensors linear = graft::linear_of(from, role, what);
    if (deferred) linear.deferred = {dtype, {}, {}};
    return linear;
  };
  FusedModel::Outer outer;
  if (deferred) outer.table_dtype = dtype;
  if (config.image) {
    const at::Tensor& first = require(root, Role::class_embedding, "class embedding").parameter("class_embedding");
    outer.token_embedding = at::stack({first, at::zeros_like(first)});
    outer.patch_embedding.weight =
        require(root, Role::patch_embedding, "patch embedding").parameter("weight").flatten(1).contiguous();
    if (deferred) outer.patch_embedding.deferred = {dtype, {}, {}};
  } else {
    outer.token_embedding = require(root, Role::token_embedding, "token embedding").parameter("weight").contiguous();
  }
  if (const Module* positions = root.find(Role::position_embedding)) {
    outer.position_embedding = positions->parameter("weight").contiguous();
  }
  if (const Module* types = root.find(Role::token_type_embedding)) {
    outer.type_embedding = types->parameter("weight").contiguous();
  }
  if (const Module* in = root.find(Role::project_in)) {
    // One wider table instead of a product in every step.
    const auto wide = [&](const at::Tensor& tensor) {
      return placement.on_host(tensor).to(torch_dtype(dtype)).to(at::kFloat);
    };
    outer.token_embedding =
        at::linear(wide(outer.token_embedding), wide(in->parameter("weight"))).to(torch_dtype(dtype));
  }
  if (const Module* out = root.find(Role::project_out)) {
    outer.project_out = {out->parameter("weight").contiguous(), out->parameter("bias")};
    if (deferred) outer.project_out.deferred = {dtype, {}, {}};
  }
  if (config.embedding_norm) outer.embedding_norm = norm_of(root, Role::embedding_norm, "embedding norm");
  if (config.final_norm) outer.final_norm = norm_of(root, Role::final_norm, "final norm");
  if (config.head.kind == HeadKind::none) return outer;
  if (config.head.dense) outer.head_dense = linear_of(root, Role::head_dense, "dense part of the head");
  if (config.head.normed) outer.head_norm = norm_of(root, Role::head_norm, "norm of the head");
  const bool ends_in_norm = config.head.kind == HeadKind::embedding && root.find(Role::head) == nullptr;
  if (!ends_in_norm) outer.head = linear_of(root, Role::head, "head");
  return outer;
}

bool is_embedding(Role role) {
  return role == Role::token_embedding || role == Role::position_embedding || role == Role::token_type_embedding ||
         role == Role::patch_embedding || role == Role::project_in || role == Role::embedding_norm;
}

bool is_head(Role role) {
  return role == Role::final_norm || role == Role::project_out || role == Role::head_dense || role == Role::head_norm ||
         role == Role::head;
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

void KernelInjection::replace(Module& layer, int64_t index) {
  LayerTensors tensors = take_tensors(layer, placement_.is_deferred());
  drop_parameters(layer);
  convert_to_dtype(tensors, dtype_);
  transpose_to_kernel_layout(tensors);
  quantize(tensors, quantization_);
  layers_.push_back(
      std::make_unique<FusedDecoderLayer>(config_.layers[static_cast<size_t>(index)], std::move(tensors), placement_));
}

std::unique_ptr<FusedModel> KernelInjection::finish(Module& root, const Collectives& ranks,
                                                    std::vector<int64_t> head_columns) {
  FusedModel::Outer outer = take_outer(root, config_, dtype_, placement_);
  drop_parameters(root);
  return std::make_unique<FusedModel>(config_, std::move(outer), std::move(layers_), ranks, std::move(head_columns),
                                      placement_);
}

}  // namespace graft
