#include "core/model/cache_plan.h"

#include <algorithm>

#include "core/base/status.h"
#include "core/step/step_view.h"

namespace graft {

CachePlan plan_cache(const ModelConfig& whole, const ModelConfig& share, DType dtype) {
  CachePlan plan;
  std::vector<const AttentionConfig*> first_of_kind;
  for (size_t i = 0; i < whole.layers.size(); ++i) {
    const AttentionConfig& a = whole.layers[i].attention;
    const auto same = [&a](const AttentionConfig* b) {
      return a.kv_heads == b->kv_heads && a.head_dim == b->head_dim && a.window == b->window;
    };
    const auto kind = static_cast<size_t>(std::ranges::find_if(first_of_kind, same) - first_of_kind.begin());
    if (kind == plan.kinds.size()) {
      if (kind == StepView::max_cache_kinds) {
        fail(StatusCode::unsupported, "{}: layers need more than {} kinds of cache", whole.architecture,
             StepView::max_cache_kinds);
      }
      first_of_kind.push_back(&a);
      const int64_t kv_heads = share.layers[i].attention.kv_heads;
      plan.kinds.push_back({0, kv_heads, a.head_dim, a.window, block_size_for(a.head_dim), dtype});
    }
    if (whole.encoder) {  // nothing is kept from step to step: one place serves all layers, one after another
      plan.kinds[kind].layers = 1;
      plan.layers.push_back({static_cast<int64_t>(kind), 0});
      continue;
    }
    plan.layers.push_back({static_cast<int64_t>(kind), plan.kinds[kind].layers++});
  }
  return plan;
}

}  // namespace graft
