// Rotary position embedding, cache write and attention in one op, for devices on which each launch counts.
#pragma once

#include "kernels/spec/attention.h"

namespace graft::kernels {

/// rotary_cache followed by attention of the queries that it prepared. Optional: where no kernel accepts the arguments,
/// the two ops are recorded instead. Differs from them in this:
///   - rotary.qkv stays as it is;
///   - a query sees the keys of its own step whether or not they have a slot;
///   - sequences of one step may be computed in any order: none may read what another one writes in the step.
struct RotaryAttentionArgs {
  RotaryCacheArgs rotary;
  AttentionArgs attention;  ///< its query, query_stride, capacity, heads and cache are those of `rotary`
  void* scratch;            ///< instead of attention.scratch
};

}  // namespace graft::kernels
