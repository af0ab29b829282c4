// What one rank of a tensor-parallel group holds of a model.
#pragma once

#include "core/model/blueprint.h"

namespace graft {

/// A rank's place in its group. Feed-forward features are dealt in pieces of `grain` where every rank then gets some.
struct RankShare {
  int64_t rank = 0;
  int64_t ranks = 1;
  int64_t grain = 64;
};

/// Cuts a blueprint down to the rank's share: head counts and feed-forward widths of the configuration, shapes of the
/// parameters, and which part of the stored tensor each parameter is. Sizes are decided once per layer, so that what a
/// column-parallel linear makes is what the row-parallel one behind it takes. The rows of a fused query_key_value come
/// out as all queries, all keys, all values, whatever the layout; with one rank that is all that happens. A linear
/// whose `parallel` is `replicated` stays whole. Columns of a language head are dealt evenly; label heads stay whole.
/// Throws UNSUPPORTED naming both numbers when there are more ranks than query heads, feed-forward features or columns
/// of the head, and for norms that span the heads of all ranks.
Blueprint shard(const Blueprint& whole, const RankShare& share);

/// The columns of the head that each rank computes: [ranks] counts.
std::vector<int64_t> head_columns(const Blueprint& whole, int64_t ranks);

/// `total` features dealt to ranks: the rank's own run. Whole grains where each rank gets at least one, the rest to the
/// last rank; evenly otherwise.
Range deal_features(int64_t total, const RankShare& share);

}  // namespace graft
