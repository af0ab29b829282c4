#include "core/containers/fused_model.h"

#include "core/model/torch_dtype.h"
#include "kernels/spec/embedding.h"
#include "kernels/spec/gather_rows.h"

namespace graft {

FusedModel::FusedModel(const ModelConfig& config, Outer outer, std::vector<std::unique_ptr<FusedDecoderLayer>> layers)
    : config_(config), widths_(config), outer_(std::move(outer)), layers_(std::move(layers)) {
  for (const RopeConfig& rope : config_.ropes) ropes_.push_back(make_rope_tables(rope));
}

float* FusedModel::record(OpList& ops, const StepView& step, const CachePool& pool,
                          const std::vector<LayerCache>& caches, int64_t capacity, int64_t logit_capacity) const {
  Activations activations(ops.arena(), widths_, config_, capacity);
  record_embedding(ops, step, activations);
  record_rope_tables(ops, step, activations);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerCache& place = caches[i];
    layers_[i]->record(ops, step, step.caches[place.kind], pool.layer(place.kind, place.index), activations, capacity);
  }
  return record_head(ops, step, activations, logit_capacity);
}

void FusedModel::record_embedding(OpList& ops, const StepView& step, Activations& activations) const {
  kernels::EmbeddingArgs args{};
  args.rows = step.token_count;
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
  args.out = activations.residual;
  ops.add(kernels::Op::embedding, args);
}

void FusedModel::record_rope_tables(OpList& ops, const StepView& step, Activations& activations) const {
  for (size_t i = 0; i < ropes_.size(); ++i) {
    const RopeTables& tables = ropes_[i];
    kernels::RotaryTableArgs args{};
    args.rows = step.token_count;
    args.positions = step.positions;
    args.sequence_of = step.sequence_of;
    args.planned_lengths = step.planned_lengths;
    args.pairs = static_cast<int32_t>(tables.inverse_frequency.size());
    args.inverse_frequency = tables.inverse_frequency.data();
    args.long_inverse_frequency =
        tables.long_inverse_frequency.empty() ? nullptr : tables.long_inverse_frequency.data();
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

float* FusedModel::record_head(OpList& ops, const StepView& step, Activations& activations,
                               int64_t logit_capacity) const {
  // The last layer's contribution joins the residual stream, then only the wanted rows go on.
  record_residual_norm(ops, step.token_count, config_.final_norm, {}, config_.hidden_size, activations, nullptr);
  float* wanted = ops.arena().take_array<float>(logit_capacity * config_.hidden_size);
  float* normed = ops.arena().take_array<float>(logit_capacity * config_.hidden_size);
  float* logits = ops.arena().take_array<float>(logit_capacity * config_.vocabulary);
  kernels::GatherRowsArgs gather{};
  gather.rows = step.logit_row_count;
  gather.indices = step.logit_rows;
  gather.width = config_.hidden_size;
  gather.x = activations.residual;
  gather.out = wanted;
  ops.add(kernels::Op::gather_rows, gather);
  activations.residual = wanted;
  record_residual_norm(ops, step.logit_row_count, config_.final_norm, outer_.final_norm, config_.hidden_size,
                       activations, normed);
  const LinearTensors* head = &outer_.head;
  record_linear(ops, step.logit_row_count, logit_capacity, &head, 1, true, normed, config_.hidden_size, logits,
                config_.vocabulary);
  return logits;
}

}  // namespace graft
