// rotary_attention for steps of few rows: blocks of split keys prepare the queries and new keys that they read, so that
// no kernel stands between the projection and attention. A norm over a whole projection needs all heads of a row and is
// left to the two ops.
#include "kernels/cuda/attention_decode.h"
#include "kernels/spec/rotary_attention.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

bool accepts(const void* args) {
  const auto& a = *static_cast<const RotaryAttentionArgs*>(args);
  const RotaryCacheArgs& r = a.rotary;
  const bool whole = r.norm_whole && (r.query_norm != nullptr || r.key_norm != nullptr);
  const bool even = r.cosine == nullptr || r.interleaved || r.rotary_dim % 4 == 0;
  return a.attention.capacity <= few_queries && !whole && even && can_attend(a.attention) &&
         plan_of(a.attention, 1).fragments;
}

int64_t scratch_bytes(const void* args, int32_t workers) {
  return plan_of(static_cast<const RotaryAttentionArgs*>(args)->attention, workers).scratch_bytes;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryAttentionArgs*>(args);
  AttentionArgs attention = a.attention;
  attention.scratch = a.scratch;
  const AttentionPlan plan = plan_of(attention, multiprocessors(context));
  launch_split(attention, plan, FreshKeys{a.rotary}, context);
  merge_parts(attention, plan, context);
}

}  // namespace

extern const Variant kernel_cuda_rotary_attention_sm80;
const Variant kernel_cuda_rotary_attention_sm80 = {Op::rotary_attention, Isa::sm80, "rotary_attention.sm80", accepts,
                                                   scratch_bytes,        run};

}  // namespace graft::kernels
