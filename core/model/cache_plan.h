// Which cache kinds a model needs and where each layer's keys and values go.
#pragma once

#include <vector>

#include "core/model/config.h"
#include "core/step/cache_pool.h"

namespace graft {

/// The cache kind a layer uses and its place in it.
struct LayerCache {
  int64_t kind = 0;
  int64_t index = 0;
};

struct CachePlan {
  std::vector<CacheKind> kinds;
  std::vector<LayerCache> layers;
};

/// Layers of equal KV heads, head_dim and window share a kind; the layers of an encoder share even the place in it.
/// Kinds are told apart by the whole model, so that all ranks have the same ones; the storage is that of `share`.
/// Throws UNSUPPORTED when a model needs more kinds than a step can address.
CachePlan plan_cache(const ModelConfig& whole, const ModelConfig& share, DType dtype);

}  // namespace graft
