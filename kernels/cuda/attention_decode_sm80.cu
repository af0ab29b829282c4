// attention for steps of few rows: every sequence is read by split keys.
#include "kernels/cuda/attention_general.h"
#include "kernels/cuda/attention_launch.h"
#include "kernels/cuda/attention_merge.h"
#include "kernels/cuda/attention_split.h"
#include "kernels/cuda/launch.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace cuda {
namespace {

using SplitKernel = void (*)(AttentionArgs, SplitRule);

template <class Type, int rows>
SplitKernel split_kernel(int32_t width) {
  if (width == 64) return attend_split<Type, 64, 4, rows>;
  return width == 128 ? static_cast<SplitKernel>(attend_split<Type, 128, 4, rows>) : attend_split<Type, 256, 2, rows>;
}

template <class Type>
SplitKernel split_kernel(const AttentionPlan& plan) {
  return plan.tile_rows == packed_tile_rows ? split_kernel<Type, packed_tile_rows>(plan.width)
                                            : split_kernel<Type, split_tile_rows>(plan.width);
}

dim3 blocks(int32_t count) { return {static_cast<unsigned>(count), 1, 1}; }

}  // namespace

void attend_few(const AttentionArgs& a, const AttentionPlan& plan, const Context& context) {
  const AttentionLaunch& split = plan.split;
  if (plan.fragments) {
    const SplitKernel kernel =
        a.cache.dtype == DType::bfloat16 ? split_kernel<Bfloat16Cache>(plan) : split_kernel<Float16Cache>(plan);
    launch_overlapped(kernel, blocks(split.grid), blocks(split.threads), split.shared_bytes, context.stream, a,
                      plan.rule);
  } else {
    launch_overlapped(attend_general, blocks(split.grid), blocks(split.threads), split.shared_bytes, context.stream, a,
                      plan.rule, true, general_keys(a.cache.head_dim));
  }
  if (plan.merge.grid > 0) {
    launch_overlapped(merge_splits, blocks(plan.merge.grid), blocks(plan.merge.threads), plan.merge.shared_bytes,
                      context.stream, a, plan.rule);
  }
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
