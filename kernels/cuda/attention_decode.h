// The launch of attention over split keys by tensor cores, for both ops that have it.
#pragma once

#include "kernels/cuda/attention_launch.h"
#include "kernels/cuda/attention_split.h"

namespace graft::kernels::cuda {
namespace {

template <class Keys>
using SplitKernel = void (*)(AttentionArgs, SplitRule, Keys);

template <class Keys, class Type, int rows>
SplitKernel<Keys> split_kernel(int32_t width) {
  if (width == 64) return attend_split<Type, 64, 4, rows, Keys>;
  return width == 128 ? static_cast<SplitKernel<Keys>>(attend_split<Type, 128, 4, rows, Keys>)
                      : attend_split<Type, 256, 2, rows, Keys>;
}

template <class Keys, class Type>
SplitKernel<Keys> split_kernel(const AttentionPlan& plan) {
  return plan.tile_rows == packed_tile_rows ? split_kernel<Keys, Type, packed_tile_rows>(plan.width)
                                            : split_kernel<Keys, Type, split_tile_rows>(plan.width);
}

/// plan.split of a plan with fragments.
template <class Keys>
void launch_split(const AttentionArgs& a, const AttentionPlan& plan, const Keys& keys, const Context& context) {
  const SplitKernel<Keys> kernel = a.cache.dtype == DType::bfloat16 ? split_kernel<Keys, Bfloat16Cache>(plan)
                                                                    : split_kernel<Keys, Float16Cache>(plan);
  launch_part(kernel, plan.split, context, a, plan.rule, keys);
}

}  // namespace
}  // namespace graft::kernels::cuda
