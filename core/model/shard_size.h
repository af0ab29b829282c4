// DeepSpeed's rule for how many rows or columns of a weight a tensor-parallel rank holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace graft {

/// What `rank` of `ranks` holds of `total` features of the module `name`.
/// - Where kv_heads is known and divides total, and the name is not that of a feed-forward or a head module: as many KV
///   heads' shares as the rank gets of kv_heads, the first ranks one more; a rank past the last KV head gets 0.
/// - Otherwise, from `grain` features on: whole grains as evenly, the last rank also the rest.
/// - Otherwise single features as evenly.
/// Graft deals heads with deal_heads(), which never leaves a rank empty; this rule is for everything else and for names
/// that DeepSpeed would ask it about. Fails with `invalid_argument` for a negative total, kv_heads or grain below 1 or
/// a rank that is none of the ranks.
int64_t get_shard_size(int64_t total, int64_t ranks, std::string_view name, int64_t rank,
                       std::optional<int64_t> kv_heads = std::nullopt, int64_t grain = 1);

/// The sizes of all ranks; they add up to total. At most 2^16 ranks (`limit_exceeded`).
std::vector<int64_t> get_shard_size_list(int64_t total, int64_t ranks, std::string_view name,
                                         std::optional<int64_t> kv_heads = std::nullopt, int64_t grain = 1);

}  // namespace graft
