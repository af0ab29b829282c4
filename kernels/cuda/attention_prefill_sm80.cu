// attention for steps that may hold prompts: sequences of few queries (others' decoding in the same step) are read by
// split keys, as when they were alone, and the prompts by tiles of queries.
#include "kernels/cuda/attention_general.h"
#include "kernels/cuda/attention_launch.h"
#include "kernels/cuda/attention_prefill.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

using PrefillKernel = void (*)(AttentionArgs, SplitRule);

template <class Type>
PrefillKernel prefill_kernel(int32_t width) {
  if (width == 64) return attend_prefill<Type, 64, 64>;
  return width == 128 ? static_cast<PrefillKernel>(attend_prefill<Type, 128, 64>) : attend_prefill<Type, 256, 32>;
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  return a.capacity > few_queries && can_attend(a);
}

int64_t scratch_bytes(const void* args, int32_t workers) {
  return plan_of(*static_cast<const AttentionArgs*>(args), workers).scratch_bytes;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const AttentionPlan plan = plan_of(a, multiprocessors(context));
  attend_few(a, plan, context);
  if (plan.fragments) {
    const PrefillKernel kernel = a.cache.dtype == DType::bfloat16 ? prefill_kernel<Bfloat16Cache>(plan.width)
                                                                  : prefill_kernel<Float16Cache>(plan.width);
    launch_part(kernel, plan.prefill, context, a, plan.rule);
  } else {
    launch_part(attend_general, plan.prefill, context, a, plan.rule, false, general_keys(a.cache.head_dim));
  }
}

}  // namespace

extern const Variant kernel_cuda_attention_prefill_sm80;
const Variant kernel_cuda_attention_prefill_sm80 = {Op::attention, Isa::sm80,     "attention_prefill.sm80",
                                                    accepts,       scratch_bytes, run};

}  // namespace graft::kernels
