#include "core/containers/fused_model.h"

#include "core/containers/placement.h"
#include "core/model/torch_dtype.h"
#include "kernels/spec/activation.h"
#include "kernels/spec/embedding.h"
#include "kernels/spec/gather_rows.h"

namespace graft {
namespace {

// x = norm(x)
void record_norm(OpList& ops, const Collectives& ranks, const int32_t* rows, int64_t capacity, const NormConfig& config,
                 const NormTensors& norm, int64_t width, float* x) {
  Activations in_place;
  in_place.residual = x;
  record_residual_norm(ops, ranks, rows, capacity, config, norm, width, in_place, x);
}

FusedModel::Outer place_outer(FusedModel::Outer outer, WeightPlacement& placement) {
  const at::Tensor &table = outer.token_embedding, &head = outer.head.weight;
  const bool tied = head.defined() && head.const_data_ptr() == table.const_data_ptr() && head.sizes() == table.sizes();
  if (tied) {
    outer.head.weight = at::Tensor();
    outer.head.deferred.reset();
  }
  const auto move = [&placement](auto& part) { part = placement.placed(std::move(part)); };
  const auto move_table = [&](at::Tensor& table) { table = placement.placed(table, outer.table_dtype); };
  move_table(outer.token_embedding);
  move(outer.patch_embedding);
  move_table(outer.position_embedding);
  move_table(outer.type_embedding);
  move(outer.embedding_norm);
  move(outer.final_norm);
  move(outer.project_out);
  move(outer.head_dense);
  move(outer.head_norm);
  move(outer.head);
  if (tied) outer.head.weight = outer.token_embedding;
  return outer;
}

}  // namespace

FusedModel::FusedModel(const ModelConfig& config, Outer outer, std::vector<std::unique_ptr<FusedDecoderLayer>> layers,
                       const Collectives& ranks, std::vector<int64_t> head_columns, WeightPlacement& placement)
    : config_(config),
      widths_(config),
      outer_(place_outer(std::move(outer), placement)),
      layers_(std::move(layers)),
      ranks_(ranks),
      head_columns_(std::move(head_columns)) {
  for (const RopeConfig& rope : config_.ropes) {
    const RopeTables tables = make_rope_tables(rope);
    ropes_.push_back(
        {tables, placement.placed(tables.inverse_frequency), placement.placed(tables.long_inverse_frequency)});
  }
}

FusedModel::Outputs FusedModel::record(OpList& ops, const StepView& step, const CachePool& pool,
                                       const std::vector<LayerCache>& caches, const Capacity& capacity) const {
  Activations activations(ops.arena(), widths_, config_, capacity.tokens);
  record_embedding(ops, step, activations, capacity.tokens);
  record_rope_tables(ops, step, activations, capacity.tokens);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerCache& place = caches[i];
    layers_[i]->record(ops, ranks_, step, step.caches[place.kind], pool.layer(place.kind, place.index), activations,
                       capacity.tokens);
  }
  // The last layer's contribution joins the residual stream, then only the wanted rows go on.
  if (activations.delta != nullptr) {
    record_residual_norm(ops, ranks_, step.token_count, capacity.tokens, {}, {}, config_.hidden_size, activations,
                         nullptr);
  }
  Outputs outputs;
  outputs.hidden =
      record_rows(ops, step.hidden_row_count, step.hidden_rows, capacity.hidden_rows, activations.residual);
  if (config_.head.kind == HeadKind::none) return outputs;
  float* rows = record_rows(ops, step.logit_row_count, step.logit_rows, capacity.logit_rows, activations.residual);
  outputs.logits = record_head(ops, step.logit_row_count, capacity.logit_rows, rows);
  return outputs;
}

void FusedModel::record_embedding(OpList& ops, const StepView& step, Activations& activations, int64_t capacity) const {
  kernels::EmbeddingArgs args{};
  args.rows = step.token_count;
  args.capacity = capacity;
  args.ids = step.token_ids;
  args.table = outer_.token_embedding.const_data_ptr();
  args.dtype = dtype_of(outer_.token_embedding.scalar_type());
  args.width = config_.hidden_size;
  args.scale = static_cast<float>(config_.embedding_scale);
  args.positions = step.positions;
  args.position_dtype = args.dtype;
  if (outer_.position_embedding.defined()) {
    args.position_table = outer_.position_embedding.const_data_ptr();
    args.position_dtype = dtype_of(outer_.position_embedding.scalar_type());
  }
  args.position_offset = config_.position_offset;
  args.types = step.token_types;
  args.type_dtype = args.dtype;
  if (outer_.type_embedding.defined()) {
    args.type_table = outer_.type_embedding.const_data_ptr();
    args.type_dtype = dtype_of(outer_.type_embedding.scalar_type());
  }
  args.out = activations.residual;
  ops.add(kernels::Op::embedding, args);
  if (config_.image) {
    const LinearTensors* patch = &outer_.patch_embedding;
    record_linear(ops, step.token_count, capacity, &patch, 1, false, step.patches, config_.image->patch_values(),
                  activations.residual, config_.hidden_size, /*accumulate=*/true);
  }
  if (config_.embedding_norm) {
    record_residual_norm(ops, ranks_, step.token_count, capacity, *config_.embedding_norm, outer_.embedding_norm,
                         config_.hidden_size, activations, activations.residual);
  }
}

void FusedModel::record_rope_tables(OpList& ops, const StepView& step, Activations& activations,
                                    int64_t capacity) const {
  for (size_t i = 0; i < ropes_.size(); ++i) {
    const RopeTables& tables = ropes_[i].tables;
    kernels::RotaryTableArgs args{};
    args.rows = step.token_count;
    args.capacity = capacity;
    args.positions = step.positions;
    args.sequence_of = step.sequence_of;
    args.planned_lengths = step.planned_lengths;
    args.pairs = static_cast<int32_t>(tables.inverse_frequency.size());
    args.inverse_frequency = ropes_[i].inverse_frequency.const_data_ptr<float>();
    const at::Tensor& longer = ropes_[i].long_inverse_frequency;
    args.long_inverse_frequency = longer.defined() ? longer.const_data_ptr<float>() : nullptr;
    args.long_threshold = tables.long_threshold;
    args.dynamic_base = tables.dynamic_base;
    args.dynamic_factor = tables.dynamic_factor;
    args.attention_factor = tables.attention_factor;
    args.long_attention_factor = tables.long_attention_factor;
    args.cosine = activations.cosine[i];
    args.sine = activations.sine[i];
    ops.add(kernels::Op::rotary_table, args);
  }
}

// The wanted rows of the residual stream, after the final norm where there is one.
float* FusedModel::record_rows(OpList& ops, const int32_t* rows, const int32_t* indices, int64_t capacity,
                               const float* residual) const {
  kernels::GatherRowsArgs gather{};
  gather.rows = rows;
  gather.capacity = capacity;
  gather.indices = indices;
  gather.width = config_.hidden_size;
  gather.x = residual;
  gather.out = ops.arena().take_array<float>(capacity * config_.hidden_size);
  ops.add(kernels::Op::gather_rows, gather);
  if (config_.final_norm) {
    record_norm(ops, ranks_, rows, capacity, *config_.final_norm, outer_.final_norm, config_.hidden_size, gather.out);
  }
  if (!outer_.project_out.weight.defined()) return gather.out;
  float* out = ops.arena().take_array<float>(capacity * config_.hidden_width());
  const LinearTensors* project = &outer_.project_out;
  record_linear(ops, rows, capacity, &project, 1, true, gather.out, config_.hidden_size, out, config_.hidden_width());
  return out;
}

// `x` is the head's own and may be written to.
float* FusedModel::record_head(OpList& ops, const int32_t* rows, int64_t capacity, float* x) const {
  const int64_t hidden = config_.hidden_width();
  if (config_.head.dense) {
    float* dense = ops.arena().take_array<float>(capacity * hidden);
    const LinearTensors* linear = &outer_.head_dense;
    record_linear(ops, rows, capacity, &linear, 1, true, x, hidden, dense, hidden);
    kernels::ActivationArgs activation{};
    activation.rows = rows;
    activation.capacity = capacity;
    activation.width = hidden;
    activation.kind = config_.head.dense_activation;
    activation.x = dense;
    activation.x_stride = hidden;
    activation.out = dense;
    activation.out_stride = hidden;
    ops.add(kernels::Op::activation, activation);
    x = dense;
  }
  if (config_.head.normed) record_norm(ops, ranks_, rows, capacity, config_.head.norm, outer_.head_norm, hidden, x);
  if (!outer_.head.weight.defined()) return x;
  float* logits = ops.arena().take_array<float>(capacity * config_.output_width);
  const LinearTensors* head = &outer_.head;
  const int64_t own_columns = outer_.head.weight.size(0);
  if (own_columns == config_.output_width) {
    record_linear(ops, rows, capacity, &head, 1, true, x, hidden, logits, own_columns);
    return logits;
  }
  float* own = ops.arena().take_array<float>(capacity * own_columns);
  record_linear(ops, rows, capacity, &head, 1, true, x, hidden, own, own_columns);
  ranks_.record_gather_columns(ops, rows, capacity, head_columns_, own, logits);
  return logits;
}

}  // namespace graft
