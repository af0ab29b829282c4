// How the blocks of a row that is drawn come to its token: each adds what its slice has to the row's sums, and the last
// one to come draws. Called by every thread of a block.
#pragma once

#include "kernels/cuda/choose_token_row.h"

namespace graft::kernels::cuda {

/// A row's part of the scratch.
struct RowScratch {
  uint64_t* largest;  // [groups]: entries
  uint64_t* sums;     // [choice_bins]: by bin, or with neither top_k nor top_p by slice
  uint32_t* arrived;

  __device__ RowScratch(const ChooseTokenArgs& a, const ChooseTokenPlan& plan, int64_t row)
      : largest(static_cast<uint64_t*>(a.scratch) + row * choice_row_words(plan.groups)),
        sums(largest + plan.groups),
        arrived(reinterpret_cast<uint32_t*>(sums + choice_bins)) {}
};

/// What of a row must be known before anything is drawn.
template <bool wide>
struct Drawing {
  ChoiceRow<wide> row;
  const ChooseTokenPlan& plan;
  const RowScratch& scratch;
  ChooseShared& shared;
  bool some;      // top_k leaves some out
  bool ranked;    // it or top_p does
  int32_t begin;  // of this block's slice
  int32_t end;

  __device__ void add_slice() const;
  __device__ bool is_last() const;
  __device__ void list(int32_t last_bin) const;
  __device__ uint64_t last_kept(uint64_t sum_of_all, int32_t order_bits) const;
  template <class Each>
  __device__ int32_t draw(const Each& each, uint64_t last, int32_t bits, int32_t origin) const;
  __device__ int32_t draw_from_all() const;
  __device__ int32_t draw_ranked() const;
};

/// Adds to the row's sums what this slice has.
template <bool wide>
__device__ __forceinline__ void Drawing<wide>::add_slice() const {
  if (!ranked) {
    uint64_t sum = 0;
    row.each(begin, end, [&](float logit, int32_t index) { sum += row.kept(logit, index, ~uint64_t{0}); });
    sum = block_total(sum, shared);
    if (threadIdx.x == 0) scratch.sums[blockIdx.x] = sum;
    return;
  }
  clear_bins(shared);
  row.each(begin, end, [&](float logit, int32_t) {
    const int32_t bin = row.bin(logit);
    if (bin < choice_bins)
      add_to_bin(shared, static_cast<uint32_t>(bin), some ? 1 : static_cast<uint64_t>(row.weight(logit)));
  });
  __syncthreads();
  const uint64_t mass = mass_of_bin(shared);
  auto* sum = reinterpret_cast<unsigned long long*>(scratch.sums + threadIdx.x);
  if (mass != 0) atomicAdd(sum, static_cast<unsigned long long>(mass));
}

/// Whether the sums of all other blocks of the row are there.
template <bool wide>
__device__ __forceinline__ bool Drawing<wide>::is_last() const {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();  // for the whole block, whose writes the barrier has put before it
    shared.arrived = atomicAdd(scratch.arrived, 1u);
    __threadfence();
  }
  __syncthreads();
  return shared.arrived + 1 == gridDim.x;
}

/// Puts candidates up to a bin into shared memory, as far as there is room, counts them and notes the worst rank.
template <bool wide>
__device__ __forceinline__ void Drawing<wide>::list(int32_t last_bin) const {
  const auto lane = static_cast<int32_t>(threadIdx.x % 32), warp = static_cast<int32_t>(threadIdx.x / 32);
  if (threadIdx.x == 0) {
    shared.listed = 0;
    shared.worst = row.first_rank;
  }
  __syncthreads();
  const auto wanted = [&](float logit) { return logit > -__builtin_inff() && row.bin(logit) <= last_bin; };
  uint32_t worst = row.first_rank;
  for (int32_t base = 32 * warp; base < plan.groups; base += choose_threads) {
    const uint32_t rank = base + lane < plan.groups ? rank_of_entry(scratch.largest[base + lane]) : no_rank;
    for (unsigned left = __ballot_sync(all_lanes, rank < no_rank && wanted(logit_of(rank))); left != 0;) {
      float x[find_batch][4];
      int32_t index[find_batch];
#pragma unroll
      for (int j = 0; j < find_batch; ++j) {
        const int32_t group = left != 0 ? base + __ffs(static_cast<int>(left)) - 1 : plan.groups;
        left &= left - 1;
        index[j] = group * choice_group + 4 * lane;
        load_logits<wide>(row.logits, row.vocabulary, index[j], x[j]);
      }
#pragma unroll
      for (int j = 0; j < find_batch; ++j) {
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          const bool mine = wanted(x[j][c]);
          const unsigned those = __ballot_sync(all_lanes, mine);
          if (those == 0) continue;
          int32_t place = 0;
          if (lane == 0) place = atomicAdd(&shared.listed, __popc(those));
          place = __shfl_sync(all_lanes, place, 0) + __popc(those & ((1u << lane) - 1));
          if (!mine) continue;
          if (place < choice_candidates) shared.list[place] = {x[j][c], index[j] + c};
          worst = max(worst, rank_of(x[j][c]));
        }
      }
    }
  }
  worst = __reduce_max_sync(all_lanes, worst);
  if (lane == 0) atomicMax(&shared.worst, worst);
  __syncthreads();
}

/// The order of the last candidate that top_k and top_p keep. `sum_of_all`: where top_k keeps all.
template <bool wide>
__device__ __forceinline__ uint64_t Drawing<wide>::last_kept(uint64_t sum_of_all, int32_t order_bits) const {
  const Candidates<wide> candidates = {row, shared};
  const auto order = [&](float logit, int32_t index) { return row.order(logit, index); };
  uint64_t last = ~uint64_t{0};
  if (some) {
    const auto most = static_cast<uint64_t>(row.choice.top_k);
    last = radix_select(
        shared, false, order_bits, candidates, order, [](float, int32_t) { return uint64_t{1}; },
        [&](uint64_t count) { return count >= most; });
  }
  if (!(row.choice.top_p < 1)) return last;
  const auto mass = [&](float logit, int32_t index) {
    return row.order(logit, index) <= last ? static_cast<uint64_t>(row.weight(logit)) : 0;
  };
  uint64_t total = sum_of_all;
  if (some) {
    total = 0;
    candidates([&](float logit, int32_t index) { total += mass(logit, index); });
    total = block_total(total, shared);
  }
  const uint64_t found = radix_select(shared, false, order_bits, candidates, order, mass, [&](uint64_t sum) {
    return choice_reaches(static_cast<int64_t>(sum), row.choice.top_p, static_cast<int64_t>(total));
  });
  return found < last ? found : last;
}

/// Draws from what is kept of the candidates up to `last` that `each` visits: from `origin` on, less than 2^bits.
template <bool wide>
template <class Each>
__device__ __forceinline__ int32_t Drawing<wide>::draw(const Each& each, uint64_t last, int32_t bits,
                                                       int32_t origin) const {
  uint64_t total = 0;
  each([&](float logit, int32_t index) { total += row.kept(logit, index, last); });
  total = block_total(total, shared);
  const auto target = static_cast<uint64_t>(choice_target(row.choice.state, static_cast<int64_t>(total)));
  return origin +
         static_cast<int32_t>(radix_select(
             shared, true, bits, each, [&](float, int32_t index) { return static_cast<uint64_t>(index - origin); },
             [&](float logit, int32_t index) { return row.kept(logit, index, last); },
             [&](uint64_t sum) { return sum > target; }));
}

/// The last block's: with neither top_k nor top_p. The slice in which the token lies, and then in there.
template <bool wide>
__device__ __forceinline__ int32_t Drawing<wide>::draw_from_all() const {
  const volatile uint64_t* sums = scratch.sums;  // other blocks' work, not to be found in L1
  const uint64_t sum = static_cast<int32_t>(threadIdx.x) < plan.slices ? sums[threadIdx.x] : 0;
  const uint64_t total = block_total(sum, shared);
  const auto target = static_cast<uint64_t>(choice_target(row.choice.state, static_cast<int64_t>(total)));
  const FoundBin slice = find_bin(sum, 0, shared, [&](uint64_t through) { return through > target; });
  const int32_t length = plan.slice_groups * choice_group, origin = slice.bin * length;
  const auto each = [&](const auto& body) { row.each_briefly(origin, origin + length, body); };
  return origin + static_cast<int32_t>(radix_select(
                      shared, true, bits_of(static_cast<uint32_t>(length - 1)), each,
                      [&](float, int32_t index) { return static_cast<uint64_t>(index - origin); },
                      [&](float logit, int32_t index) { return row.kept(logit, index, ~uint64_t{0}); },
                      [&](uint64_t through) { return slice.before + through > target; }));
}

/// The last block's: with top_k or top_p.
template <bool wide>
__device__ __forceinline__ int32_t Drawing<wide>::draw_ranked() const {
  const volatile uint64_t* sums = scratch.sums;
  const uint64_t mass = sums[threadIdx.x], all = block_total(mass, shared);
  const FoundBin cut = find_bin(mass, 0, shared, [&](uint64_t through) {
    if (some) return through >= static_cast<uint64_t>(row.choice.top_k);
    return choice_reaches(static_cast<int64_t>(through), row.choice.top_p, static_cast<int64_t>(all));
  });
  list(cut.bin < choice_bins ? cut.bin : choice_bins - 1);
  const uint64_t last = last_kept(all, bits_of(shared.worst - row.first_rank) + row.index_bits());
  return draw(Candidates<wide>{row, shared}, last, row.index_bits(), 0);
}

}  // namespace graft::kernels::cuda
