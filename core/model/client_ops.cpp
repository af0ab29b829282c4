#include "core/model/client_ops.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/status.h"
#include "core/model/torch_dtype.h"

namespace graft::client {
namespace {

at::Tensor as_float(const at::Tensor& tensor) { return tensor.defined() ? tensor.to(at::kFloat) : tensor; }

}  // namespace

at::Tensor linear(const Module& module, const at::Tensor& x, Communicator& ranks) {
  at::Tensor weight = as_float(module.parameter("weight"));
  if (module.spec().layout == LinearLayout::in_out) weight = weight.t();
  const at::Tensor bias = as_float(module.parameter("bias"));
  if (ranks.size() == 1 || module.spec().parallel != ParallelRole::row) return at::linear(x, weight, bias);
  const at::Tensor sum = at::linear(x, weight).contiguous();
  ranks.all_reduce(sum.mutable_data_ptr<float>(), sum.numel());
  return bias.defined() ? sum + bias : sum;
}

at::Tensor norm(const Module& module, const NormConfig& config, const at::Tensor& x) {
  const at::Tensor weight = as_float(module.parameter("weight")) + config.weight_offset;
  if (config.kind == NormKind::layer) {
    return at::layer_norm(x, {x.size(-1)}, weight, as_float(module.parameter("bias")), config.epsilon);
  }
  return x * at::rsqrt(x.square().mean(-1, /*keepdim=*/true) + config.epsilon) * weight;
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::tanh:
      return at::tanh(x);
  }
  fail(StatusCode::internal, "unknown activation {}", static_cast<int>(activation));
}

at::Tensor feed_forward(const Module& layer, const FeedForwardConfig& config, const at::Tensor& x,
                        Communicator& ranks) {
  at::Tensor gate, up;
  if (const Module* both = layer.find(Role::gate_up)) {
    const auto halves = linear(*both, x, ranks).chunk(2, -1);
    gate = halves[0], up = halves[1];
  } else {
    up = linear(*layer.find(Role::up), x, ranks);
    if (config.gated) gate = linear(*layer.find(Role::gate), x, ranks);
  }
  const at::Tensor hidden = config.gated ? activate(config.activation, gate) * up : activate(config.activation, up);
  return linear(*layer.find(Role::down), hidden, ranks);
}

at::Tensor rotate(const at::Tensor& x, const RopeConfig& config, const at::Tensor& angles,
                  const at::Tensor& attention_factor) {
  const at::Tensor factor = attention_factor.view({-1, 1, 1});
  const at::Tensor cosine = at::cos(angles).unsqueeze(1) * factor;  // [T, 1, pairs]
  const at::Tensor sine = at::sin(angles).unsqueeze(1) * factor;
  const at::Tensor rotated = x.slice(-1, 0, config.rotary_dim);
  const at::Tensor rest = x.slice(-1, config.rotary_dim);
  at::Tensor first, second;
  if (config.interleaved) {
    first = rotated.slice(-1, 0, c10::nullopt, 2);
    second = rotated.slice(-1, 1, c10::nullopt, 2);
  } else {
    first = rotated.slice(-1, 0, config.rotary_dim / 2);
    second = rotated.slice(-1, config.rotary_dim / 2);
  }
  const at::Tensor new_first = first * cosine - second * sine;
  const at::Tensor new_second = second * cosine + first * sine;
  const at::Tensor turned =
      config.interleaved ? at::stack({new_first, new_second}, -1).flatten(-2) : at::cat({new_first, new_second}, -1);
  return at::cat({turned, rest}, -1);
}

std::pair<at::Tensor, double> frequencies(const RopeTables& tables, int64_t planned_length) {
  const auto as_tensor = [](const std::vector<float>& values) {
    return at::tensor(at::ArrayRef<float>(values), at::kFloat);
  };
  const bool is_long = planned_length > tables.long_threshold;
  if (is_long && !tables.long_inverse_frequency.empty()) {
    return {as_tensor(tables.long_inverse_frequency), tables.long_attention_factor};
  }
  if (is_long && tables.dynamic_factor > 0) {
    const auto pairs = static_cast<int64_t>(tables.inverse_frequency.size());
    const double dim = static_cast<double>(2 * pairs);
    const double grown = static_cast<double>(tables.dynamic_factor) * static_cast<double>(planned_length) /
                             static_cast<double>(tables.long_threshold) -
                         (static_cast<double>(tables.dynamic_factor) - 1);
    const double base = static_cast<double>(tables.dynamic_base) * std::pow(grown, dim / (dim - 2));
    const at::Tensor exponent = at::arange(0, 2 * pairs, 2, at::kFloat) / dim;
    return {1.0 / at::pow(at::scalar_tensor(base, at::kFloat), exponent), tables.attention_factor};
  }
  return {as_tensor(tables.inverse_frequency), tables.attention_factor};
}

at::Tensor cache_tensor(const kernels::PagedCache& cache, void* data, int64_t blocks) {
  return at::from_blob(data, {blocks, cache.kv_heads, cache.block_size, cache.head_dim},
                       at::TensorOptions().dtype(torch_dtype(cache.dtype)));
}

}  // namespace graft::client
