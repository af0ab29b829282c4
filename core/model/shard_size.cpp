#include "core/model/shard_size.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr int64_t max_ranks = int64_t{1} << 16;
// parts of names whose features are no attention heads
constexpr std::array<std::string_view, 7> headless = {"mlp", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3"};

bool may_be_heads(std::string_view name) {
  return name != "lm_head" && name != "embed_out" &&
         std::none_of(headless.begin(), headless.end(),
                      [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

int64_t even_share(int64_t total, int64_t ranks, int64_t rank) {
  return total / ranks + (rank < total % ranks ? 1 : 0);
}

}  // namespace

int64_t get_shard_size(int64_t total, int64_t ranks, std::string_view name, int64_t rank,
                       std::optional<int64_t> kv_heads, int64_t grain) {
  if (total < 0 || grain < 1 || kv_heads.value_or(1) < 1 || rank < 0 || rank >= ranks) {
    fail(StatusCode::invalid_argument,
         "shard size of \"{}\": found total {}, rank {} of {}, {} KV heads, grain {}, expected a rank below the ranks, "
         "positive numbers and no negative total",
         name, total, rank, ranks, kv_heads.value_or(1), grain);
  }
  if (kv_heads && total % *kv_heads == 0 && may_be_heads(name)) {
    return total / *kv_heads * even_share(*kv_heads, ranks, rank);
  }
  if (total < grain) return even_share(total, ranks, rank);
  const int64_t rest = rank == ranks - 1 ? total % grain : 0;
  return even_share(total / grain, ranks, rank) * grain + rest;
}

std::vector<int64_t> get_shard_size_list(int64_t total, int64_t ranks, std::string_view name,
                                         std::optional<int64_t> kv_heads, int64_t grain) {
  if (ranks > max_ranks) {
    fail(StatusCode::limit_exceeded, "shard sizes of \"{}\": found {} ranks, expected at most {}", name, ranks,
         max_ranks);
  }
  std::vector<int64_t> sizes;
  int64_t rank = 0;
  do {
    sizes.push_back(get_shard_size(total, ranks, name, rank, kv_heads, grain));  // refuses ranks < 1
  } while (++rank < ranks);
  const int64_t sum = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (sum != total) fail(StatusCode::internal, "shard sizes of \"{}\" add up to {}, not {}", name, sum, total);
  return sizes;
}

}  // namespace graft
