#include "kernels/spec/next_step.h"

#include "kernels/spec/choice_weight.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

int32_t next_slot(const NextStepArgs::Cache& cache, int64_t row, int32_t place) {
  const int64_t entry = place / cache.block_size;
  const int32_t block = place >= 0 && entry < cache.stride ? cache.block_table[row * cache.stride + entry] : -1;
  return block < 0 ? -1 : block * cache.block_size + place % cache.block_size;
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const NextStepArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    const int32_t place = a.context_lengths[r];
    for (int32_t k = 0; k < a.caches; ++k) a.cache[k].slots[r] = next_slot(a.cache[k], r, place);
    a.token_ids[r] = a.tokens[r] < 0 ? 0 : a.tokens[r];
    a.positions[r] += 1;
    a.context_lengths[r] = place + 1;
    if (choice_draws(a.choices[r])) a.choices[r].state += choice_step;
  }
}

}  // namespace

extern const Variant kernel_reference_next_step;
const Variant kernel_reference_next_step = {Op::next_step, Isa::reference, "next_step.reference",
                                            nullptr,       nullptr,        run};

}  // namespace graft::kernels
