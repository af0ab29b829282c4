// What tests do with the variants that a device has. Included by support.h, the emulated device's and a real one's.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "kernels/spec/variant.h"

namespace graft::kernels::testing {

/// The CUDA variants of `op`, up to `highest` and what the device has, that accept `args`.
std::vector<const Variant*> cuda_variants(Op op, const void* args, Isa highest = Isa::sm100);

/// Calls `check` with each of them. Returns how many there were; that there is none fails the test.
inline int for_each_cuda_variant(Op op, const void* args, const std::function<void(const Variant&)>& check,
                                 Isa highest = Isa::sm100) {
  const std::vector<const Variant*> variants = cuda_variants(op, args, highest);
  EXPECT_FALSE(variants.empty()) << "no variant of op " << static_cast<int>(op) << " accepts these arguments";
  for (const Variant* variant : variants) check(*variant);
  return static_cast<int>(variants.size());
}

}  // namespace graft::kernels::testing
