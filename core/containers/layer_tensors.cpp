#include "core/containers/layer_tensors.h"

#include "core/base/status.h"
#include "core/model/torch_dtype.h"

namespace graft {
namespace {

LinearTensors linear_of(const Module& module) {
  return {module.parameter("weight"), module.parameter("bias"), module.spec().layout};
}

NormTensors norm_of(const Module& module) { return {module.parameter("weight"), module.parameter("bias")}; }

const Module& require(const Module& layer, Role role, const char* what) {
  const Module* module = layer.find(role);
  if (module == nullptr) {
    fail(StatusCode::unsupported, "kernel injection: layer '{}' ({}) has no {}", layer.spec().path,
         layer.spec().class_name, what);
  }
  return *module;
}

template <class Function>
void for_each_linear(LayerTensors& tensors, Function&& function) {
  for (LinearTensors& linear : tensors.query_key_value) function(linear);
  function(tensors.attention_output);
  for (LinearTensors& linear : tensors.up) function(linear);
  function(tensors.down);
}

void convert(at::Tensor& tensor, DType dtype) {
  if (tensor.defined()) tensor = tensor.to(torch_dtype(dtype)).contiguous();
}

}  // namespace

LayerTensors take_tensors(const Module& layer) {
  LayerTensors tensors;
  if (const Module* norm = layer.find(Role::post_attention_norm)) {
    tensors.post_attention_norm = norm_of(*norm);
    tensors.post_feed_forward_norm = norm_of(require(layer, Role::post_feed_forward_norm, "norm after feed-forward"));
  } else {
    tensors.input_norm = norm_of(require(layer, Role::input_norm, "input norm"));
    if (const Module* norm = layer.find(Role::feed_forward_norm)) tensors.feed_forward_norm = norm_of(*norm);
  }
  if (const Module* fused = layer.find(Role::query_key_value)) {
    tensors.query_key_value.push_back(linear_of(*fused));
  } else {
    tensors.query_key_value.push_back(linear_of(require(layer, Role::query, "query projection")));
    tensors.query_key_value.push_back(linear_of(require(layer, Role::key, "key projection")));
    tensors.query_key_value.push_back(linear_of(require(layer, Role::value, "value projection")));
  }
  if (const Module* norm = layer.find(Role::query_norm)) tensors.query_norm = norm->parameter("weight");
  if (const Module* norm = layer.find(Role::key_norm)) tensors.key_norm = norm->parameter("weight");
  tensors.attention_output = linear_of(require(layer, Role::attention_output, "attention output projection"));
  if (const Module* both = layer.find(Role::gate_up)) {
    tensors.up.push_back(linear_of(*both));
  } else {
    if (const Module* gate = layer.find(Role::gate)) tensors.up.push_back(linear_of(*gate));
    tensors.up.push_back(linear_of(require(layer, Role::up, "up projection")));
  }
  tensors.down = linear_of(require(layer, Role::down, "down projection"));
  return tensors;
}

void convert_to_dtype(LayerTensors& tensors, DType dtype) {
  for_each_linear(tensors, [&](LinearTensors& linear) {
    convert(linear.weight, dtype);
    convert(linear.bias, dtype);
  });
  for (NormTensors* norm : {&tensors.input_norm, &tensors.post_attention_norm, &tensors.feed_forward_norm,
                            &tensors.post_feed_forward_norm}) {
    convert(norm->weight, dtype);
    convert(norm->bias, dtype);
  }
  convert(tensors.query_norm, dtype);
  convert(tensors.key_norm, dtype);
}

void transpose_to_kernel_layout(LayerTensors& tensors) {
  for_each_linear(tensors, [](LinearTensors& linear) {
    if (linear.layout == LinearLayout::out_in) return;
    linear.weight = linear.weight.t().contiguous();
    linear.layout = LinearLayout::out_in;
  });
}

}  // namespace graft
