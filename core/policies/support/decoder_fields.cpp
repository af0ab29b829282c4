#include "core/policies/support/decoder_fields.h"

#include <bit>
#include <cmath>

#include "core/policies/support/config_fields.h"

namespace graft {

AttentionConfig read_plain_attention(const JsonObject& config, std::string_view heads_key, int64_t default_heads,
                                     int64_t hidden) {
  AttentionConfig attention;
  attention.heads = config.get_int(heads_key, default_heads, head_range);
  if (hidden % attention.heads != 0) config.at(heads_key).fail_expected("a divisor of the hidden size");
  attention.kv_heads = attention.heads;
  attention.head_dim = hidden / attention.heads;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.head_dim));
  return attention;
}

RopeConfig read_paired_rotary(const JsonObject& config, int64_t head_dim, int64_t max_positions) {
  RopeConfig rope;
  rope.rotary_dim = config.get_int("rotary_dim", 64);
  if (rope.rotary_dim < 2 || rope.rotary_dim > head_dim || rope.rotary_dim % 2 != 0) {
    config.at("rotary_dim").fail_expected(fmt::format("an even number from 2 to {}, the width of a head", head_dim));
  }
  rope.interleaved = true;
  rope.max_positions = max_positions;
  rope.original_max_positions = max_positions;
  return rope;
}

std::vector<float> alibi_slopes(int64_t heads) {
  const auto whole = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  for (int64_t h = 1; h <= whole; ++h) {
    slopes.push_back(static_cast<float>(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(whole))));
  }
  for (int64_t h = 1; h <= 2 * (heads - whole); h += 2) {
    slopes.push_back(static_cast<float>(std::exp2(-4.0 * static_cast<double>(h) / static_cast<double>(whole))));
  }
  return slopes;
}

}  // namespace graft
