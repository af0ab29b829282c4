// How attention heads are dealt to the ranks of a tensor-parallel group.
#pragma once

#include <cstdint>

namespace graft {

/// The heads of one rank, both runs contiguous. Query head h reads KV head h / (all heads / all KV heads).
struct HeadShard {
  int64_t first_head = 0;
  int64_t heads = 0;
  int64_t first_kv_head = 0;
  int64_t kv_heads = 0;
};

/// What `rank` of `ranks` holds of `heads` query heads that share `kv_heads` KV heads. Up to as many ranks as KV heads:
/// whole KV heads with all their query heads, in runs as even as possible, longer ones first. More ranks: the ranks are
/// dealt to the KV heads and then each KV head's query heads to its ranks, both as evenly as possible with the larger
/// shares first; such a rank holds a copy of one KV head. No rank holds parts of two KV heads and none is empty, so
/// query heads / KV heads of a rank is a whole number: 6 heads on 2 KV heads over 3 ranks are 2, 1, 3 heads on KV heads
/// 0, 0, 1.
/// Fails with `unsupported` when there are more ranks than query heads, with `invalid_argument` when kv_heads does not
/// divide heads or the rank is none of the ranks.
HeadShard deal_heads(int64_t heads, int64_t kv_heads, int64_t ranks, int64_t rank);

}  // namespace graft
