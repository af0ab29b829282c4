// rotary_attention by the CPU's own kernels for the two ops: the same bits as when they were recorded one by one.
#pragma once

#include "kernels/cpu/select.h"
#include "kernels/spec/rotary_attention.h"

namespace graft::kernels::testing {

inline int64_t scratch_of_two(const void* args, int32_t workers) {
  const auto& both = *static_cast<const RotaryAttentionArgs*>(args);
  const Variant& attention = *select(Op::attention, &both.attention);
  return attention.scratch_bytes != nullptr ? attention.scratch_bytes(&both.attention, workers) : 0;
}

inline void run_two(const void* args, const Context& context) {
  const auto& both = *static_cast<const RotaryAttentionArgs*>(args);
  select(Op::rotary_cache, &both.rotary)->run(&both.rotary, context);
  AttentionArgs attention = both.attention;
  attention.scratch = both.scratch;
  select(Op::attention, &attention)->run(&attention, context);
}

inline constexpr Variant two_in_one = {Op::rotary_attention, Isa::baseline, "rotary_attention.two_in_one", nullptr,
                                       scratch_of_two,       run_two};

}  // namespace graft::kernels::testing
