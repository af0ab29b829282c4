// Every address that a kernel's arguments hold. A field that is missing here is one whose place no test looks at.
#pragma once

#include <vector>

#include "kernels/spec/activation.h"
#include "kernels/spec/attention.h"
#include "kernels/spec/choose_token.h"
#include "kernels/spec/combine_experts.h"
#include "kernels/spec/embedding.h"
#include "kernels/spec/expert_linear.h"
#include "kernels/spec/gather_rows.h"
#include "kernels/spec/linear.h"
#include "kernels/spec/next_step.h"
#include "kernels/spec/residual_norm.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/rotary_attention.h"
#include "kernels/spec/route_experts.h"
#include "kernels/spec/sum_residual_norm.h"
#include "kernels/spec/weights.h"

namespace graft::stand_in {

using Addresses = std::vector<const void*>;

inline Addresses addresses_of(const kernels::ActivationArgs& a) { return {a.rows, a.x, a.out}; }

inline Addresses addresses_of(const kernels::AttentionArgs& a) {
  return {a.sequences, a.query,        a.query_starts, a.context_lengths, a.block_table, a.cache.key, a.cache.value,
          a.sinks,     a.alibi_slopes, a.out,          a.scratch};
}

inline Addresses addresses_of(const kernels::ChooseTokenArgs& a) {
  return {a.rows, a.logits, a.choices, a.tokens, a.scratch};
}

inline Addresses addresses_of(const kernels::EmbeddingArgs& a) {
  return {a.rows, a.ids, a.table, a.positions, a.position_table, a.types, a.type_table, a.out};
}

inline Addresses addresses_of(const kernels::GatherRowsArgs& a) { return {a.rows, a.indices, a.x, a.out}; }

inline Addresses addresses_of(const kernels::RouteExpertsArgs& a) {
  return {a.rows,    a.logits,  a.selection_bias, a.expert_scale, a.expert_ids,
          a.weights, a.entries, a.positions,      a.offsets};
}

inline Addresses addresses_of(const kernels::ExpertLinearArgs& a) {
  Addresses all = {a.offsets, a.x, a.entries, a.entry_scales, a.out, a.scratch};
  for (int32_t i = 0; i < a.segment_count; ++i) {
    const kernels::LinearSegment& matrix = a.segments[i].matrix;
    all.insert(all.end(), {matrix.weight, matrix.bias, matrix.scales});
  }
  return all;
}

inline Addresses addresses_of(const kernels::CombineExpertsArgs& a) {
  return {a.rows, a.positions, a.weights, a.x, a.base, a.base_gate, a.out};
}
inline Addresses addresses_of(const kernels::ConvertWeightsArgs& a) { return {a.x, a.out}; }

inline Addresses addresses_of(const kernels::QuantizeGroupsArgs& a) { return {a.x, a.out, a.scales, a.unfit}; }

inline Addresses addresses_of(const kernels::LinearArgs& a) {
  Addresses all = {a.rows, a.x, a.out, a.scratch};
  for (int32_t i = 0; i < a.segment_count; ++i) {
    all.insert(all.end(), {a.segments[i].weight, a.segments[i].bias, a.segments[i].scales});
  }
  return all;
}

inline Addresses addresses_of(const kernels::NextStepArgs& a) {
  Addresses all = {a.rows, a.tokens, a.token_ids, a.positions, a.context_lengths, a.choices};
  for (int32_t i = 0; i < a.caches; ++i) all.insert(all.end(), {a.cache[i].slots, a.cache[i].block_table});
  return all;
}

inline Addresses addresses_of(const kernels::ResidualNormArgs& a) {
  return {a.rows, a.residual, a.delta, a.delta_bias, a.weight, a.bias, a.out};
}

/// But for given_up, which is the host's.
inline Addresses addresses_of(const kernels::SumResidualNormArgs& a) {
  Addresses all = addresses_of(a.norm);
  all.insert(all.end(), a.peers.areas, a.peers.areas + a.peers.ranks);
  all.push_back(a.peers.epochs);
  return all;
}

inline Addresses addresses_of(const kernels::RotaryTableArgs& a) {
  return {a.rows,   a.positions, a.sequence_of, a.planned_lengths, a.inverse_frequency, a.long_inverse_frequency,
          a.cosine, a.sine};
}

inline Addresses addresses_of(const kernels::RotaryCacheArgs& a) {
  return {a.rows, a.qkv, a.query_norm, a.key_norm, a.cosine, a.sine, a.slots, a.cache.key, a.cache.value};
}

inline Addresses addresses_of(const kernels::RotaryAttentionArgs& a) {
  Addresses all = addresses_of(a.rotary);
  const Addresses rest = addresses_of(a.attention);
  all.insert(all.end(), rest.begin(), rest.end());
  all.push_back(a.scratch);
  return all;
}

}  // namespace graft::stand_in
