#include "core/model/cache_plan.h"

#include "core/base/status.h"
#include "core/step/step_view.h"

namespace graft {

CachePlan plan_cache(const ModelConfig& config, DType dtype) {
  CachePlan plan;
  for (const LayerConfig& layer : config.layers) {
    const AttentionConfig& a = layer.attention;
    size_t kind = 0;
    while (kind < plan.kinds.size() &&
           (plan.kinds[kind].kv_heads != a.kv_heads || plan.kinds[kind].head_dim != a.head_dim ||
            plan.kinds[kind].window != a.window)) {
      ++kind;
    }
    if (kind == plan.kinds.size()) {
      if (kind == StepView::max_cache_kinds) {
        fail(StatusCode::unsupported, "{}: layers need more than {} kinds of cache", config.architecture,
             StepView::max_cache_kinds);
      }
      plan.kinds.push_back({0, a.kv_heads, a.head_dim, a.window, block_size_for(a.head_dim), dtype});
    }
    if (config.encoder) {  // nothing is kept from step to step: one place serves all layers, one after another
      plan.kinds[kind].layers = 1;
      plan.layers.push_back({static_cast<int64_t>(kind), 0});
      continue;
    }
    plan.layers.push_back({static_cast<int64_t>(kind), plan.kinds[kind].layers++});
  }
  return plan;
}

}  // namespace graft
