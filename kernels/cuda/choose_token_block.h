// What choose_token does with a whole block: sums and places in 64-bit integers, and sums by bin in shared memory. All
// of them are called by every thread; results depend on no order.
#pragma once

#include "kernels/cuda/choose_token_plan.h"
#include "kernels/cuda/reduce.h"

namespace graft::kernels::cuda {

struct Candidate {
  float logit;
  int32_t index;
};

/// The shared memory of a block that draws.
struct ChooseShared {
  uint32_t low[choose_threads], high[choose_threads], count[choose_threads];  // of each bin
  uint64_t partial[choose_threads / 32];
  uint64_t before;  // what lies before the bin found
  int32_t bin;
  int32_t listed;
  uint32_t worst;
  uint32_t arrived;
  Candidate list[choice_candidates];
};

template <class Combine>
__device__ __forceinline__ uint64_t block_combine(uint64_t value, ChooseShared& shared, const Combine& combine) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) value = combine(value, __shfl_xor_sync(all_lanes, value, bits));
  if (threadIdx.x % 32 == 0) shared.partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = shared.partial[0];
#pragma unroll
  for (int warp = 1; warp < choose_threads / 32; ++warp) value = combine(value, shared.partial[warp]);
  __syncthreads();
  return value;
}
__device__ __forceinline__ uint64_t block_least(uint64_t value, ChooseShared& shared) {
  return block_combine(value, shared, [](uint64_t a, uint64_t b) { return a < b ? a : b; });
}
__device__ __forceinline__ uint64_t block_total(uint64_t value, ChooseShared& shared) {
  return block_combine(value, shared, [](uint64_t a, uint64_t b) { return a + b; });
}

struct Through {
  uint64_t here;  ///< the values of all threads up to this one
  uint64_t all;
};
__device__ __forceinline__ Through block_through(uint64_t value, ChooseShared& shared) {
  const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
  for (uint32_t by = 1; by < 32; by *= 2) {
    const uint64_t other = __shfl_up_sync(all_lanes, value, by);
    if (lane >= by) value += other;
  }
  if (lane == 31) shared.partial[warp] = value;
  __syncthreads();
  Through through = {value, 0};
#pragma unroll
  for (uint32_t w = 0; w < choose_threads / 32; ++w) {
    if (w < warp) through.here += shared.partial[w];
    through.all += shared.partial[w];
  }
  __syncthreads();
  return through;
}

__device__ __forceinline__ void clear_bins(ChooseShared& shared) {
  shared.low[threadIdx.x] = shared.high[threadIdx.x] = shared.count[threadIdx.x] = 0;
  __syncthreads();
}
/// By any thread, of any bin. In two halves: shared memory has no addition of 64 bits.
__device__ __forceinline__ void add_to_bin(ChooseShared& shared, uint32_t bin, uint64_t mass) {
  const auto low = static_cast<uint32_t>(mass);
  const uint32_t before = atomicAdd(&shared.low[bin], low);
  const uint32_t high = static_cast<uint32_t>(mass >> 32) + (before + low < before ? 1u : 0u);
  if (high != 0) atomicAdd(&shared.high[bin], high);
}
/// Of this thread's bin, after a barrier.
__device__ __forceinline__ uint64_t mass_of_bin(const ChooseShared& shared) {
  return uint64_t{shared.high[threadIdx.x]} << 32 | shared.low[threadIdx.x];
}

struct FoundBin {
  int32_t bin;      ///< choose_threads: none
  uint32_t count;   ///< shared.count of it
  uint64_t before;  ///< the sum without it
};
/// The bin with which the sum of `before` and of the bins so far, of which each thread gives its own, is first enough.
template <class Enough>
__device__ __forceinline__ FoundBin find_bin(uint64_t mass, uint64_t before, ChooseShared& shared,
                                             const Enough& enough) {
  if (threadIdx.x == 0) shared.bin = choose_threads;
  const uint64_t through = before + block_through(mass, shared).here;
  if (mass > 0 && enough(through) && !enough(through - mass)) {
    shared.bin = static_cast<int32_t>(threadIdx.x);
    shared.before = through - mass;
  }
  __syncthreads();
  FoundBin found = {shared.bin, 0, 0};
  if (found.bin < choose_threads) {
    found.count = shared.count[found.bin];
    found.before = shared.before;
  }
  __syncthreads();
  return found;
}

}  // namespace graft::kernels::cuda
