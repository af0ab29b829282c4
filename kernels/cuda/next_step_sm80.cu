// next_step: a thread to a row.
#include "kernels/spec/next_step.h"

#include "kernels/cuda/launch.h"
#include "kernels/spec/choice_weight.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int64_t threads = 128;

__global__ void __launch_bounds__(threads) next_step(NextStepArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t first = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  const int32_t rows = *a.rows;
  for (int64_t r = first; r < rows; r += static_cast<int64_t>(gridDim.x) * threads) {
    const int32_t place = a.context_lengths[r], token = a.tokens[r];
#pragma unroll
    for (int32_t k = 0; k < NextStepArgs::max_caches; ++k) {
      if (k >= a.caches) break;
      const NextStepArgs::Cache& cache = a.cache[k];
      const int32_t entry = place / cache.block_size, rest = place - entry * cache.block_size;
      const int32_t block = place >= 0 && entry < cache.stride ? cache.block_table[r * cache.stride + entry] : -1;
      cache.slots[r] = block < 0 ? -1 : block * cache.block_size + rest;
    }
    a.token_ids[r] = token < 0 ? 0 : token;
    a.positions[r] += 1;
    a.context_lengths[r] = place + 1;
    if (choice_draws(a.choices[r])) a.choices[r].state += choice_step;
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const NextStepArgs*>(args);
  const unsigned grid = grid_for(divide_up(a.capacity, threads), multiprocessors(context));
  launch_overlapped(&next_step, {grid, 1, 1}, {static_cast<unsigned>(threads), 1, 1}, 0, context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_next_step_sm80;
const Variant kernel_cuda_next_step_sm80 = {Op::next_step, Isa::sm80, "next_step.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
