// attention for steps of few rows: every sequence is read by split keys.
#include "kernels/cuda/attention_decode.h"
#include "kernels/cuda/attention_general.h"
#include "kernels/cuda/attention_merge.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace cuda {

void attend_few(const AttentionArgs& a, const AttentionPlan& plan, const Context& context) {
  if (plan.fragments) {
    launch_split(a, plan, StoredKeys{}, context);
  } else {
    launch_part(attend_general, plan.split, context, a, plan.rule, true, general_keys(a.cache.head_dim));
  }
  merge_parts(a, plan, context);
}

void merge_parts(const AttentionArgs& a, const AttentionPlan& plan, const Context& context) {
  if (plan.merge.grid > 0) launch_part(merge_splits, plan.merge, context, a, plan.rule);
}

}  // namespace cuda

namespace {

bool accepts(const void* args) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  return a.capacity <= cuda::few_queries && cuda::can_attend(a);
}

int64_t scratch_bytes(const void* args, int32_t workers) {
  return cuda::plan_of(*static_cast<const AttentionArgs*>(args), workers).scratch_bytes;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  cuda::attend_few(a, cuda::plan_of(a, cuda::multiprocessors(context)), context);
}

}  // namespace

extern const Variant kernel_cuda_attention_decode_sm80;
const Variant kernel_cuda_attention_decode_sm80 = {Op::attention, Isa::sm80,     "attention_decode.sm80",
                                                   accepts,       scratch_bytes, run};

}  // namespace graft::kernels
