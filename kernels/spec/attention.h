#pragma once

#include "kernels/spec/rotary.h"

namespace graft::kernels {

/// Attention over the paged cache for a ragged batch (queries of one sequence are consecutive rows).
/// Sequence s has queries query_starts[s] .. query_starts[s+1]-1, the last of them at position
/// context_lengths[s]-1; the cache already holds the keys of this step. Query at position p sees keys k with
///   k <= p (causal), k > p - window (window > 0), and all of the context when not causal.
/// score = scale * q.k, then softcap * tanh(score / softcap) if softcap > 0, then + alibi_slopes[h] * (k - p), or with
/// rounded_alibi > 0, where slopes are bfloat16 numbers and r rounds to bfloat16,
/// + rounded_alibi * (r(alibi_slopes[h] * r(k)) - r(alibi_slopes[h] * r(p)));
/// softmax with an extra logit sinks[h] in the denominator if sinks is given. Sums in float32.
struct AttentionArgs {
  const int32_t* sequences;  ///< number of sequences of this step
  int64_t capacity;          ///< the most query rows a step can have
  const float* query;        ///< row t at query + t * query_stride, heads * head_dim wide
  int64_t query_stride;
  const int32_t* query_starts;     ///< [sequences + 1]
  const int32_t* context_lengths;  ///< [sequences]
  const int32_t* block_table;      ///< [sequences, block_table_stride]: block of tokens j*block_size ...
  int64_t block_table_stride;
  PagedCache cache;
  int32_t heads;  ///< a multiple of cache.kv_heads; query head h reads KV head h / (heads / kv_heads)
  float scale;
  bool causal;
  int32_t window;             ///< 0: unlimited
  float softcap;              ///< 0: none
  const float* sinks;         ///< [heads] or null
  const float* alibi_slopes;  ///< [heads] or null
  float rounded_alibi;        ///< 0: exact
  float* out;                 ///< row t at out + t * out_stride, heads * head_dim wide
  int64_t out_stride;
  void* scratch;
};

}  // namespace graft::kernels
