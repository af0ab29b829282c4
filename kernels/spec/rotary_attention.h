// Rotary position embedding, cache write and attention in one op, for devices on which each launch counts.
#pragma once

#include "kernels/spec/attention.h"

namespace graft::kernels {

/// rotary_cache followed by attention of the queries that it prepared. Recorded where there is a kernel besides the
/// reference, else the two ops are. Undefined are, unlike with those:
///   - rotary.qkv afterwards;
///   - what a query sees of a key of its own step that has no slot;
///   - what a sequence reads that another one writes in the same step.
struct RotaryAttentionArgs {
  RotaryCacheArgs rotary;
  AttentionArgs attention;  ///< its query, query_stride, capacity, heads and cache are those of `rotary`
  void* scratch;            ///< instead of attention.scratch
};

}  // namespace graft::kernels
