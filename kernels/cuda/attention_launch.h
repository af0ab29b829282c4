// What the two attention variants share on the host.
#pragma once

#include "kernels/cuda/attention_plan.h"
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

/// Sequences of few queries, and the merge of their parts. Defined in attention_decode_sm80.cu.
void attend_few(const AttentionArgs& a, const AttentionPlan& plan, const Context& context);

}  // namespace graft::kernels::cuda
