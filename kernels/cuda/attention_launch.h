// What the variants with attention share on the host.
#pragma once

#include "kernels/cuda/attention_plan.h"
#include "kernels/cuda/launch.h"
#include "kernels/spec/attention.h"
#include "kernels/spec/context.h"
#include "kernels/spec/convert.h"

namespace graft::kernels::cuda {

inline AttentionPlan plan_of(const AttentionArgs& a, int32_t multiprocessor_count) {
  const auto address = reinterpret_cast<uintptr_t>(a.cache.key) | reinterpret_cast<uintptr_t>(a.cache.value);
  const AttentionShape shape = {a.capacity,
                                a.heads,
                                a.cache.kv_heads,
                                a.cache.head_dim,
                                a.block_table_stride * a.cache.block_size,
                                a.cache.dtype != DType::float32,
                                address % 16 == 0,
                                a.cache.block_size};
  return attention_plan(shape, multiprocessor_count);
}

inline bool can_attend(const AttentionArgs& a) {
  return a.cache.head_dim >= 1 && a.cache.head_dim <= widest_head && float_dtype_bytes(a.cache.dtype) != 0;
}

/// Starts one kernel of a plan.
template <class... Parameters, class... Arguments>
void launch_part(void (*kernel)(Parameters...), const AttentionLaunch& part, const Context& context,
                 Arguments&&... arguments) {
  launch_overlapped(kernel, {static_cast<unsigned>(part.grid), 1, 1}, {static_cast<unsigned>(part.threads), 1, 1},
                    part.shared_bytes, context.stream, static_cast<Arguments&&>(arguments)...);
}

// Defined in attention_decode_sm80.cu.

/// Sequences of few queries, and the merge of their parts.
void attend_few(const AttentionArgs& a, const AttentionPlan& plan, const Context& context);
/// That merge alone, if there are parts.
void merge_parts(const AttentionArgs& a, const AttentionPlan& plan, const Context& context);

}  // namespace graft::kernels::cuda
