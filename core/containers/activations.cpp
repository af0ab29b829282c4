#include "core/containers/activations.h"

#include <algorithm>

namespace graft {

ActivationWidths::ActivationWidths(const ModelConfig& config) : hidden(config.hidden_size) {
  for (const LayerConfig& layer : config.layers) {
    const AttentionConfig& a = layer.attention;
    query_key_value = std::max(query_key_value, (a.heads + 2 * a.kv_heads) * a.head_dim);
    attention = std::max(attention, a.heads * a.head_dim);
    const FeedForwardConfig& f = layer.feed_forward;
    feed_forward = std::max(feed_forward, f.intermediate_size * (f.gated ? 2 : 1));
    intermediate = std::max(intermediate, f.intermediate_size);
  }
}

Activations::Activations(Arena& arena, const ActivationWidths& widths, const ModelConfig& config, int64_t capacity) {
  residual = arena.take_array<float>(capacity * widths.hidden);
  normed = arena.take_array<float>(capacity * widths.hidden);
  query_key_value = arena.take_array<float>(capacity * widths.query_key_value);
  attention = arena.take_array<float>(capacity * widths.attention);
  feed_forward = arena.take_array<float>(capacity * widths.feed_forward);
  intermediate = arena.take_array<float>(capacity * widths.intermediate);
  contribution = arena.take_array<float>(capacity * widths.hidden);
  for (const RopeConfig& rope : config.ropes) {
    cosine.push_back(arena.take_array<float>(capacity * rope.rotary_dim / 2));
    sine.push_back(arena.take_array<float>(capacity * rope.rotary_dim / 2));
    rotary_dims.push_back(static_cast<int32_t>(rope.rotary_dim));
    interleaved.push_back(rope.interleaved);
  }
}

}  // namespace graft
