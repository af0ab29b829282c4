// next_step: a thread to a row.
#include "kernels/spec/next_step.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/choice_weight.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int64_t threads = next_step_threads;

__global__ void __launch_bounds__(threads) next_step(NextStepArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t first = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  const int32_t rows = *a.rows;
  for (int64_t r = first; r < a.capacity; r += static_cast<int64_t>(gridDim.x) * threads) {
    // Asked for before it is known whether there is such a row; nothing is written in between, so that loads go ahead.
    const int32_t place = a.context_lengths[r], token = a.tokens[r], position = a.positions[r];
    const TokenChoice choice = a.choices[r];
    const bool there = r < rows;
    int32_t slots[NextStepArgs::max_caches];
#pragma unroll
    for (int32_t k = 0; k < NextStepArgs::max_caches; ++k) {
      slots[k] = -1;
      if (k >= a.caches) continue;
      const NextStepArgs::Cache& cache = a.cache[k];
      const int32_t entry = place / cache.block_size, rest = place - entry * cache.block_size;
      const bool known = there & (place >= 0) & (entry < cache.stride);
      const int32_t block = known ? cache.block_table[r * cache.stride + entry] : -1;
      if (block >= 0) slots[k] = block * cache.block_size + rest;
    }
    if (!there) return;
#pragma unroll
    for (int32_t k = 0; k < NextStepArgs::max_caches; ++k) {
      if (k < a.caches) a.cache[k].slots[r] = slots[k];
    }
    a.token_ids[r] = token < 0 ? 0 : token;
    a.positions[r] = position + 1;
    a.context_lengths[r] = place + 1;
    if (choice_draws(choice)) a.choices[r].state = choice.state + choice_step;
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const NextStepArgs*>(args);
  launch_overlapped(&next_step, next_step_plan(a.capacity, multiprocessors(context)), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_next_step_sm80;
const Variant kernel_cuda_next_step_sm80 = {Op::next_step, Isa::sm80, "next_step.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
