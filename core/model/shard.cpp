#include "core/model/shard.h"

#include <algorithm>

#include "core/base/status.h"
#include "core/model/head_shards.h"

namespace graft {
namespace {

int64_t total_of(const std::vector<Range>& ranges) {
  int64_t total = 0;
  for (const Range& range : ranges) total += range.count;
  return total;
}

// Runs of `width` rows at the given starts, neighbours joined.
void append_heads(std::vector<Range>& ranges, const std::vector<int64_t>& starts, Range heads, int64_t width) {
  for (int64_t h = heads.first; h < heads.first + heads.count; ++h) {
    const int64_t start = starts[static_cast<size_t>(h)];
    if (!ranges.empty() && ranges.back().first + ranges.back().count == start) {
      ranges.back().count += width;
    } else {
      ranges.push_back({start, width});
    }
  }
}

/// The rank's part of one layer.
struct LayerShare {
  Range heads;
  Range kv_heads;
  Range features;  ///< of the feed-forward block
};

LayerShare share_of_layer(const LayerConfig& layer, const RankShare& share) {
  const HeadShard heads = deal_heads(layer.attention.heads, layer.attention.kv_heads, share.ranks, share.rank);
  return {{heads.first_head, heads.heads},
          {heads.first_kv_head, heads.kv_heads},
          deal_features(layer.feed_forward.intermediate_size, share)};
}

// The part of a linear's outputs (column-parallel) or inputs (row-parallel) that the rank holds.
std::vector<Range> ranges_of(const ModuleSpec& module, const LayerConfig& layer, const LayerShare& part) {
  const int64_t dim = layer.attention.head_dim;
  const auto heads = [dim](Range range) { return std::vector<Range>{{range.first * dim, range.count * dim}}; };
  switch (module.role) {
    case Role::query:
    case Role::attention_output:
      return heads(part.heads);
    case Role::key:
    case Role::value:
      return heads(part.kv_heads);
    case Role::query_key_value: {
      const AttentionConfig& a = layer.attention;
      const FusedRows rows = module.fused.query.empty() ? fused_thirds(a.heads, a.kv_heads, dim) : module.fused;
      std::vector<Range> ranges;
      append_heads(ranges, rows.query, part.heads, dim);
      append_heads(ranges, rows.key, part.kv_heads, dim);
      append_heads(ranges, rows.value, part.kv_heads, dim);
      return ranges;
    }
    case Role::gate:
    case Role::up:
    case Role::down:
      return {part.features};
    case Role::gate_up:
      return {part.features, {layer.feed_forward.intermediate_size + part.features.first, part.features.count}};
    default:
      fail(StatusCode::unsupported, "'{}' cannot be {}-parallel: it is neither attention nor feed-forward", module.path,
           module.parallel == ParallelRole::row ? "row" : "column");
  }
}

void cut_dimension(ParameterSpec& parameter, int64_t dimension, const std::vector<Range>& ranges) {
  int64_t& length = parameter.shape[static_cast<size_t>(dimension)];
  if (ranges.size() == 1 && ranges[0] == Range{0, length}) return;
  parameter.part = StoredPart{parameter.shape, dimension, ranges};
  length = total_of(ranges);
}

void cut_linear(ModuleSpec& module, const std::vector<Range>& ranges) {
  const bool transposed = module.layout == LinearLayout::in_out;
  const bool row = module.parallel == ParallelRole::row;
  for (ParameterSpec& parameter : module.parameters) {
    if (parameter.name == "weight") {
      cut_dimension(parameter, row == transposed ? 0 : 1, ranges);
    } else if (!row) {
      cut_dimension(parameter, 0, ranges);  // the bias of a row-parallel linear joins after the all-reduce, whole
    }
  }
}

void check_norms(const Blueprint& whole, const RankShare& share) {
  if (share.ranks == 1) return;
  for (const LayerConfig& layer : whole.config.layers) {
    if (layer.attention.query_key_norm_whole) {
      fail(StatusCode::unsupported,
           "tensor_parallel is {}: {} norms queries and keys over all heads at once, expected 1", share.ranks,
           whole.config.architecture);
    }
  }
}

Range columns_of_head(int64_t columns, const RankShare& share) {
  return deal_features(columns, {share.rank, share.ranks, 1});
}

}  // namespace

Range deal_features(int64_t total, const RankShare& share) {
  if (total < share.ranks) {
    fail(StatusCode::unsupported, "tensor_parallel is {}, more than the {} features that are to be dealt", share.ranks,
         total);
  }
  const int64_t grain = total / std::max<int64_t>(1, share.grain) >= share.ranks ? share.grain : 1;
  const int64_t grains = total / grain;
  const int64_t each = grains / share.ranks, more = grains % share.ranks;
  const auto start = [&](int64_t rank) { return (rank * each + std::min(rank, more)) * grain; };
  const int64_t first = start(share.rank);
  const int64_t end = share.rank + 1 == share.ranks ? total : start(share.rank + 1);
  return {first, end - first};
}

std::vector<int64_t> head_columns(const Blueprint& whole, int64_t ranks) {
  std::vector<int64_t> counts;
  for (int64_t r = 0; r < ranks; ++r) {
    counts.push_back(whole.config.head.kind == HeadKind::language
                         ? columns_of_head(whole.config.output_width, {r, ranks, 1}).count
                         : whole.config.output_width);
  }
  return counts;
}

Blueprint shard(const Blueprint& whole, const RankShare& share) {
  check_norms(whole, share);
  Blueprint own = whole;
  std::vector<LayerShare> shares;
  for (LayerConfig& layer : own.config.layers) {
    shares.push_back(share_of_layer(layer, share));
    AttentionConfig& a = layer.attention;
    const LayerShare& part = shares.back();
    a.heads = part.heads.count;
    a.kv_heads = part.kv_heads.count;
    if (!a.alibi_slopes.empty()) {
      const auto first = a.alibi_slopes.begin() + part.heads.first;
      a.alibi_slopes = std::vector<float>(first, first + part.heads.count);
    }
    layer.feed_forward.intermediate_size = part.features.count;
  }
  for (ModuleSpec& module : own.modules) {
    if (module.parallel == ParallelRole::replicated) continue;
    if (module.role == Role::head) {
      if (own.config.head.kind == HeadKind::language) {
        cut_linear(module, {columns_of_head(own.config.output_width, share)});
      }
    } else {
      const auto layer = static_cast<size_t>(module.layer);
      cut_linear(module, ranges_of(module, whole.config.layers[layer], shares[layer]));
    }
    module.fused = {};
  }
  return own;
}

}  // namespace graft
