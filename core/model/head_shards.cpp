#include "core/model/head_shards.h"

#include <algorithm>

#include "core/base/status.h"

namespace graft {
namespace {

struct Run {
  int64_t first = 0;
  int64_t count = 0;
};

/// Part `index` of `total` things cut into `parts` runs, the first ones one longer.
Run even_run(int64_t total, int64_t parts, int64_t index) {
  const int64_t longer = total % parts;
  return {index * (total / parts) + std::min(index, longer), total / parts + (index < longer ? 1 : 0)};
}

/// Which of the `parts` runs of `total` things holds `thing`.
int64_t run_of(int64_t total, int64_t parts, int64_t thing) {
  const int64_t length = total / parts;
  const int64_t in_longer = (total % parts) * (length + 1);
  return thing < in_longer ? thing / (length + 1) : total % parts + (thing - in_longer) / length;
}

}  // namespace

HeadShard deal_heads(int64_t heads, int64_t kv_heads, int64_t ranks, int64_t rank) {
  if (heads < 1 || kv_heads < 1 || heads % kv_heads != 0) {
    fail(StatusCode::invalid_argument, "deal_heads: found {} query heads on {} KV heads, expected a multiple", heads,
         kv_heads);
  }
  if (rank < 0 || rank >= ranks) {
    fail(StatusCode::invalid_argument, "deal_heads: found rank {} of {}, expected 0 <= rank < ranks", rank, ranks);
  }
  if (ranks > heads) {
    fail(StatusCode::unsupported,
         "tensor parallelism over {} ranks: the model has {} query heads, expected at least one "
         "for every rank",
         ranks, heads);
  }
  const int64_t group = heads / kv_heads;  // query heads of one KV head
  if (ranks <= kv_heads) {
    const Run keys = even_run(kv_heads, ranks, rank);
    return {keys.first * group, keys.count * group, keys.first, keys.count};
  }
  const int64_t kv_head = run_of(ranks, kv_heads, rank);
  const Run sharers = even_run(ranks, kv_heads, kv_head);
  const Run queries = even_run(group, sharers.count, rank - sharers.first);
  return {kv_head * group + queries.first, queries.count, kv_head, 1};
}

}  // namespace graft
