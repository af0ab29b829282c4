#include "core/containers/fused_layer.h"

#include <ATen/ops/add.h>

#include "core/base/status.h"
#include "core/containers/placement.h"
#include "core/model/torch_dtype.h"
#include "kernels/spec/activation.h"
#include "kernels/spec/linear.h"
#include "kernels/spec/residual_norm.h"
#include "kernels/spec/rotary_attention.h"

namespace graft {
namespace {

const void* data_or_null(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr() : nullptr; }

DType dtype_or_float(const at::Tensor& tensor) {
  return tensor.defined() ? dtype_of(tensor.scalar_type()) : DType::float32;
}

void check_features(const LinearTensors& linear, int64_t out_features, int64_t in_features, const char* what) {
  if (linear.weight.dim() != 2 || linear.out_features() != out_features || linear.in_features() != in_features) {
    fail(StatusCode::invalid_argument, "fused layer: {} is {} elements, expected [{}, {}]", what, linear.weight.numel(),
         out_features, in_features);
  }
}

// Either may be undefined.
at::Tensor sum_of(const at::Tensor& first, const at::Tensor& second) {
  if (!first.defined()) return second;
  return second.defined() ? at::add(first.to(at::kFloat), second.to(at::kFloat)) : first;
}

}  // namespace

void record_residual_norm(OpList& ops, const Collectives& ranks, const int32_t* rows, int64_t capacity,
                          const NormConfig& config, const NormTensors& norm, int64_t width, Activations& activations,
                          float* out) {
  kernels::ResidualNormArgs args{};
  args.rows = rows;
  args.capacity = capacity;
  args.width = width;
  args.residual = activations.residual;
  args.delta_bias = activations.delta_bias;
  args.delta_bias_dtype = activations.delta_bias_dtype;
  args.kind = config.kind;
  args.weight = data_or_null(norm.weight);
  args.bias = data_or_null(norm.bias);
  args.weight_dtype = dtype_or_float(norm.weight);
  args.weight_offset = static_cast<float>(config.weight_offset);
  args.epsilon = static_cast<float>(config.epsilon);
  args.out = out;
  if (activations.delta != nullptr) {
    ranks.record_sum_residual_norm(ops, args, activations.delta);
  } else {
    ops.add(kernels::Op::residual_norm, args);
  }
  activations.delta = nullptr;
  activations.delta_bias = nullptr;
}

void record_linear(OpList& ops, const int32_t* rows, int64_t capacity, const LinearTensors* const* linears,
                   int32_t count, bool with_bias, const float* x, int64_t x_stride, float* out, int64_t out_stride,
                   bool accumulate) {
  kernels::LinearArgs args{};
  args.rows = rows;
  args.capacity = capacity;
  args.in_features = linears[0]->in_features();
  args.x = x;
  args.x_stride = x_stride;
  args.segment_count = count;
  for (int32_t i = 0; i < count; ++i) {
    const LinearTensors& linear = *linears[i];
    kernels::LinearSegment& segment = args.segments[i];
    segment.weight = linear.weight.const_data_ptr();
    segment.weight_dtype = linear.is_quantized() ? linear.quantized.dtype : dtype_of(linear.weight.scalar_type());
    if (linear.is_quantized()) {
      segment.scales = linear.quantized.scales.const_data_ptr<float>();
      segment.group_size = linear.quantized.group_size;
    }
    segment.bias = with_bias ? data_or_null(linear.bias) : nullptr;
    segment.bias_dtype = dtype_or_float(linear.bias);
    segment.out_features = linear.weight.size(0);
  }
  args.out = out;
  args.out_stride = out_stride;
  args.accumulate = accumulate;
  ops.add(kernels::Op::linear, args);
}

FusedDecoderLayer::FusedDecoderLayer(const LayerConfig& config, LayerTensors tensors, WeightPlacement& placement)
    : config_(config), tensors_(std::move(tensors)) {
  const AttentionConfig& a = config_.attention;
  const FeedForwardConfig& f = config_.feed_forward;
  const int64_t hidden = tensors_.attention_output.weight.size(0);
  if (tensors_.query_key_value.size() == 1) {
    check_features(tensors_.query_key_value[0], (a.heads + 2 * a.kv_heads) * a.head_dim, hidden, "query_key_value");
  } else {
    check_features(tensors_.query_key_value[0], a.heads * a.head_dim, hidden, "query");
    check_features(tensors_.query_key_value[1], a.kv_heads * a.head_dim, hidden, "key");
    check_features(tensors_.query_key_value[2], a.kv_heads * a.head_dim, hidden, "value");
  }
  check_features(tensors_.attention_output, hidden, a.heads * a.head_dim, "attention_output");
  const bool both = f.gated && tensors_.up.size() == 1;  // gate and up in one matrix
  for (const LinearTensors& up : tensors_.up) check_features(up, f.intermediate_size * (both ? 2 : 1), hidden, "up");
  check_features(tensors_.down, hidden, f.intermediate_size, "down");
  if (tensors_.up.size() > (f.gated ? 2u : 1u)) {
    fail(StatusCode::invalid_argument, "fused layer: {} up projections, expected {}", tensors_.up.size(),
         f.gated ? 2 : 1);
  }
  if (config_.residual == ResidualForm::pre_norm && !tensors_.feed_forward_norm.weight.defined()) {
    fail(StatusCode::unsupported, "fused layer: there is no feed-forward norm");
  }
  if (config_.residual == ResidualForm::parallel) {
    parallel_bias_ = placement.placed(sum_of(tensors_.attention_output.bias, tensors_.down.bias));
  }
  alibi_slopes_ = placement.placed(a.alibi_slopes);
  placement.place(tensors_);
}

void FusedDecoderLayer::record(OpList& ops, const Collectives& ranks, const StepView& step, const CacheView& addressing,
                               const kernels::PagedCache& cache, Activations& activations, int64_t capacity) const {
  const auto norm = [&](const NormTensors& tensors, float* out) {
    record_residual_norm(ops, ranks, step.token_count, capacity, config_.norm, tensors, hidden(), activations, out);
    return out;
  };
  const auto attention = [&](const float* x) {
    record_attention(ops, step, addressing, cache, activations, capacity, x);
  };
  const auto feed_forward = [&](const float* x, bool accumulate) {
    record_feed_forward(ops, step, activations, capacity, x, accumulate);
  };
  // What was computed waits for the next norm, which sums it over the ranks; the bias joins after that.
  const auto leave = [&](const at::Tensor& bias) {
    activations.delta = activations.contribution;
    activations.delta_bias = data_or_null(bias);
    activations.delta_bias_dtype = dtype_or_float(bias);
  };
  switch (config_.residual) {
    case ResidualForm::pre_norm:
      attention(norm(tensors_.input_norm, activations.normed));
      leave(tensors_.attention_output.bias);
      feed_forward(norm(tensors_.feed_forward_norm, activations.normed), false);
      leave(tensors_.down.bias);
      break;
    case ResidualForm::post_norm:  // what the norm gives is the residual stream
      attention(activations.residual);
      leave(tensors_.attention_output.bias);
      norm(tensors_.post_attention_norm, activations.residual);
      feed_forward(activations.residual, false);
      leave(tensors_.down.bias);
      norm(tensors_.post_feed_forward_norm, activations.residual);
      break;
    case ResidualForm::parallel:
      attention(norm(tensors_.input_norm, activations.normed));
      if (tensors_.feed_forward_norm.weight.defined()) norm(tensors_.feed_forward_norm, activations.normed);
      feed_forward(activations.normed, true);
      leave(parallel_bias_);
      break;
  }
}

void FusedDecoderLayer::describe(kernels::RotaryCacheArgs& args, const Activations& activations) const {
  const AttentionConfig& a = config_.attention;
  args.heads = static_cast<int32_t>(a.heads);
  args.query_norm = a.query_key_norm ? data_or_null(tensors_.query_norm) : nullptr;
  args.key_norm = a.query_key_norm ? data_or_null(tensors_.key_norm) : nullptr;
  args.norm_dtype = dtype_or_float(tensors_.query_norm);
  args.norm_epsilon = static_cast<float>(config_.norm.epsilon);
  args.norm_weight_offset = static_cast<float>(config_.norm.weight_offset);
  args.norm_whole = a.query_key_norm_whole;
  if (a.rope < 0) return;
  const auto rope = static_cast<size_t>(a.rope);
  args.cosine = activations.cosine[rope];
  args.sine = activations.sine[rope];
  args.rotary_dim = activations.rotary_dims[rope];
  args.interleaved = activations.interleaved[rope];
}

void FusedDecoderLayer::describe(kernels::AttentionArgs& args) const {
  const AttentionConfig& a = config_.attention;
  args.heads = static_cast<int32_t>(a.heads);
  args.scale = static_cast<float>(a.scale);
  args.causal = a.causal;
  args.window = static_cast<int32_t>(a.window);
  args.softcap = static_cast<float>(a.softcap);
  args.alibi_slopes = static_cast<const float*>(data_or_null(alibi_slopes_));
  args.rounded_alibi = static_cast<float>(a.rounded_alibi);
}

void FusedDecoderLayer::record_attention(OpList& ops, const StepView& step, const CacheView& addressing,
                                         const kernels::PagedCache& cache, Activations& activations, int64_t capacity,
                                         const float* x) const {
  const AttentionConfig& a = config_.attention;
  const int64_t qkv_width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  const LinearTensors* projections[3];
  const auto count = static_cast<int32_t>(tensors_.query_key_value.size());
  for (int32_t i = 0; i < count; ++i) projections[i] = &tensors_.query_key_value[static_cast<size_t>(i)];
  record_linear(ops, step.token_count, capacity, projections, count, true, x, hidden(), activations.query_key_value,
                qkv_width);

  kernels::RotaryCacheArgs rotary{};
  rotary.rows = step.token_count;
  rotary.capacity = capacity;
  rotary.qkv = activations.query_key_value;
  rotary.qkv_stride = qkv_width;
  rotary.slots = addressing.slots;
  rotary.cache = cache;
  describe(rotary, activations);

  kernels::AttentionArgs attention{};
  attention.sequences = step.sequence_count;
  attention.capacity = capacity;
  attention.query = activations.query_key_value;
  attention.query_stride = qkv_width;
  attention.query_starts = step.query_starts;
  attention.context_lengths = step.context_lengths;
  attention.block_table = addressing.block_table;
  attention.block_table_stride = addressing.block_table_stride;
  attention.cache = cache;
  attention.out = activations.attention;
  attention.out_stride = a.heads * a.head_dim;
  describe(attention);

  if (const kernels::RotaryAttentionArgs both{rotary, attention, nullptr};
      ops.has_more_than_reference(kernels::Op::rotary_attention, both)) {
    ops.add(kernels::Op::rotary_attention, both);
  } else {
    ops.add(kernels::Op::rotary_cache, rotary);
    ops.add(kernels::Op::attention, attention);
  }

  const LinearTensors* output = &tensors_.attention_output;
  record_linear(ops, step.token_count, capacity, &output, 1, false, activations.attention, a.heads * a.head_dim,
                activations.contribution, hidden());
}

void FusedDecoderLayer::record_feed_forward(OpList& ops, const StepView& step, Activations& activations,
                                            int64_t capacity, const float* x, bool accumulate) const {
  const FeedForwardConfig& f = config_.feed_forward;
  const int64_t up_width = f.intermediate_size * (f.gated ? 2 : 1);
  const LinearTensors* ups[2] = {&tensors_.up.front(), &tensors_.up.back()};
  record_linear(ops, step.token_count, capacity, ups, static_cast<int32_t>(tensors_.up.size()), true, x, hidden(),
                activations.feed_forward, up_width);

  kernels::ActivationArgs activation{};
  activation.rows = step.token_count;
  activation.capacity = capacity;
  activation.width = f.intermediate_size;
  activation.kind = f.activation;
  activation.gated = f.gated;
  activation.x = activations.feed_forward;
  activation.x_stride = up_width;
  activation.out = activations.intermediate;
  activation.out_stride = f.intermediate_size;
  ops.add(kernels::Op::activation, activation);

  const LinearTensors* down = &tensors_.down;
  record_linear(ops, step.token_count, capacity, &down, 1, false, activations.intermediate, f.intermediate_size,
                activations.contribution, hidden(), accumulate);
}

}  // namespace graft
