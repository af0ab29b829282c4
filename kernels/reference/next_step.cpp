#include "kernels/spec/next_step.h"

#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const NextStepArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    const int32_t place = a.context_lengths[r];
    for (int32_t k = 0; k < a.caches; ++k) {
      const NextStepArgs::Cache& cache = a.cache[k];
      const int64_t entry = place / cache.block_size;
      const int32_t block = entry < cache.stride ? cache.block_table[r * cache.stride + entry] : -1;
      cache.slots[r] = block < 0 ? -1 : block * cache.block_size + place % cache.block_size;
    }
    a.token_ids[r] = a.tokens[r] < 0 ? 0 : a.tokens[r];
    a.positions[r] += 1;
    a.context_lengths[r] = place + 1;
    TokenChoice& choice = a.choices[r];
    if (choice.wanted != 0 && choice.temperature != 0) choice.state += 0x9e3779b97f4a7c15u;
  }
}

}  // namespace

extern const Variant kernel_reference_next_step;
const Variant kernel_reference_next_step = {Op::next_step, Isa::reference, "next_step.reference",
                                            nullptr,       nullptr,        run};

}  // namespace graft::kernels
