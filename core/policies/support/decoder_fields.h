// Fields of decoders outside of Llama's kin that several families share.
#pragma once

#include <string_view>
#include <vector>

#include "core/checkpoint/json.h"
#include "core/model/config.h"

namespace graft {

/// The family's own spelling of a key where config.json has it, else Transformers' general one ("n_head",
/// "num_attention_heads").
inline std::string_view either_key(const JsonObject& config, std::string_view own, std::string_view general) {
  return config.has(own) || !config.has(general) ? own : general;
}

/// Plain multi-head attention of `hidden` lanes, scaled by 1 / sqrt(head_dim). `heads_key` names the number of heads,
/// which must divide `hidden`.
AttentionConfig read_plain_attention(const JsonObject& config, std::string_view heads_key, int64_t default_heads,
                                     int64_t hidden);

/// Rotation of the first `rotary_dim` lanes of every head in neighbouring pairs, as GPT-J states it.
RopeConfig read_paired_rotary(const JsonObject& config, int64_t head_dim, int64_t max_positions);

/// ALiBi's slopes: powers of 2^(-8/n) for the largest power of two n up to `heads`, then every other one of the next.
std::vector<float> alibi_slopes(int64_t heads);

}  // namespace graft
