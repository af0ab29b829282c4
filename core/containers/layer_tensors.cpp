#include "core/containers/layer_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/base/status.h"
#include "core/containers/group_quantizer.h"
#include "core/model/load.h"
#include "core/model/torch_dtype.h"

namespace graft {
namespace {

LinearTensors linear_of(const Module& module, bool deferred) {
  LinearTensors linear = {module.parameter("weight"), module.parameter("bias"), module.spec().layout,
                          module.spec().path + ".weight"};
  if (deferred) linear.deferred = {dtype_of(linear.weight.scalar_type()), module.ranges("weight"), {}};
  return linear;
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

void quantize_linear(LinearTensors& linear, const Quantization& quantization) {
  if (linear.layout != LinearLayout::out_in) {
    fail(StatusCode::internal, "quantisation: '{}' is not in the kernels' layout", linear.name);
  }
  const int64_t rows = linear.weight.size(0), width = linear.weight.size(1);
  const bool packed = quantization.bits == 4;
  const int64_t group_size = quantization.group_of(width);
  const int64_t groups = groups_of_row(width, group_size), row_bytes = packed ? (width + 1) / 2 : width;
  at::Tensor integers = at::empty({rows, row_bytes}, packed ? at::kByte : at::kChar);
  at::Tensor scales = at::empty({rows, groups}, at::kFloat);
  std::vector<int8_t> values(static_cast<size_t>(width));
  auto* bytes = static_cast<uint8_t*>(integers.data_ptr());
  for (int64_t row = 0; row < rows; ++row) {  // one after another, so that no whole matrix is widened
    const at::Tensor wide = linear.weight.select(0, row).to(at::kFloat).contiguous();
    quantize_row(wide.const_data_ptr<float>(), width, group_size, quantization.bits, values.data(),
                 scales.data_ptr<float>() + row * groups, linear.name);
    if (packed) {
      pack_int4(values.data(), width, bytes + row * row_bytes);
    } else {
      std::copy(values.begin(), values.end(), reinterpret_cast<int8_t*>(bytes) + row * row_bytes);
    }
  }
  linear.weight = std::move(integers);
  linear.quantized = {packed ? DType::int4 : DType::int8, width, group_size, std::move(scales)};
}

}  // namespace

int64_t LinearTensors::out_features() const {
  if (!deferred || deferred->rows.empty()) return weight.size(0);
  int64_t rows = 0;
  for (const Range& range : deferred->rows) rows += range.count;
  return rows;
}

LayerTensors take_tensors(const Module& layer, bool deferred) {
  const auto linear_of = [deferred](const Module& module) { return graft::linear_of(module, deferred); };
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
    if (linear.deferred) {
      linear.deferred->dtype = dtype;
    } else {
      convert(linear.weight, dtype);
    }
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
    linear.weight = linear.deferred ? linear.weight.t() : linear.weight.t().contiguous();
    linear.layout = LinearLayout::out_in;
  });
}

void quantize(LayerTensors& tensors, const Quantization& quantization) {
  if (quantization.bits == 0) return;
  if ((quantization.bits != 8 && quantization.bits != 4) || quantization.group_size < 0) {
    fail(StatusCode::invalid_argument, "quantisation: {} bits in groups of {}, expected 8 or 4 bits and 0 or more",
         quantization.bits, quantization.group_size);
  }
  for_each_linear(tensors, [&](LinearTensors& linear) {
    if (linear.deferred) {
      linear.deferred->quantization = quantization;
    } else {
      quantize_linear(linear, quantization);
    }
  });
}

void do_deferred(LinearTensors& linear) {
  if (!linear.deferred) return;
  const DeferredSteps steps = std::move(*linear.deferred);
  linear.deferred.reset();
  if (!steps.rows.empty()) linear.weight = take_part(linear.weight, {{}, 0, steps.rows});
  convert(linear.weight, steps.dtype);
  if (steps.quantization.bits != 0) quantize_linear(linear, steps.quantization);
}

}  // namespace graft
