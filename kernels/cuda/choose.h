// Which variant serves arguments on a device: pure functions, without CUDA.
#pragma once

#include "kernels/spec/variant.h"

namespace graft::kernels::cuda {

/// The highest Isa that a device of this compute capability has; reference: none, it is too old.
constexpr Isa isa_of_capability(int32_t major, int32_t minor) {
  const int32_t capability = 10 * major + minor;
  if (capability >= 100) return Isa::sm100;
  if (capability >= 90) return Isa::sm90;
  return capability >= 80 ? Isa::sm80 : Isa::reference;
}

/// The variant of the highest Isa, at most `highest`, that accepts `args`; null when there is none.
inline const Variant* choose(const VariantTable& table, Isa highest, Op op, const void* args) {
  const Variant* best = nullptr;
  for (int64_t i = 0; i < table.count; ++i) {
    const Variant* variant = table.variants[i];
    if (variant->op != op || variant->isa > highest) continue;
    if (best != nullptr && variant->isa <= best->isa) continue;
    if (variant->accepts == nullptr || variant->accepts(args)) best = variant;
  }
  return best;
}

}  // namespace graft::kernels::cuda
