// choose_token: two launches. In the first many blocks a row write down the largest of each group of 128 logits, and
// make the row's sums zero. In the second a block finds from these the largest of all, which is all that a greedy row
// needs. A row that is drawn is dealt to several blocks in slices, which add up what they find; the last one to come
// draws. With top_k or top_p the sums are by distance from the largest, which tells how far candidates go; these are
// put into shared memory (of groups whose largest is too far away nothing is read), and radix selection over rank and
// place finds the last one kept. All sums are integers, so no order shows.
#include "kernels/spec/choose_token.h"

#include "kernels/cuda/choose_token_row.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

struct RowScratch {
  uint64_t* largest;  // [groups]: entries
  uint64_t* sums;     // [choice_bins]: by bin, or with neither top_k nor top_p by slice
  uint32_t* arrived;

  __device__ RowScratch(const ChooseTokenArgs& a, const ChooseTokenPlan& plan, int64_t row)
      : largest(static_cast<uint64_t*>(a.scratch) + row * choice_row_words(plan.groups)),
        sums(largest + plan.groups),
        arrived(reinterpret_cast<uint32_t*>(sums + choice_bins)) {}
};

// The first largest of a group of which each lane has four logits.
__device__ __forceinline__ void write_largest(const float (&x)[4], int32_t index, uint64_t* out) {
  const float most = fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]));
  const uint32_t rank = rank_of(most), least = __reduce_min_sync(all_lanes, rank);
  const unsigned having = __ballot_sync(all_lanes, rank == least);
  if (static_cast<int32_t>(threadIdx.x % 32) + 1 != __ffs(static_cast<int>(having))) return;
  *out = entry_of(least, index + (x[0] == most ? 0 : x[1] == most ? 1 : x[2] == most ? 2 : 3));
}

template <bool wide>
__global__ void __launch_bounds__(find_threads) find_largest(ChooseTokenArgs a, ChooseTokenPlan plan) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const auto lane = static_cast<int32_t>(threadIdx.x % 32);
  const auto all = static_cast<int32_t>(gridDim.x) * (find_threads / 32);
  const auto begin = static_cast<int32_t>(blockIdx.x) * (find_threads / 32) + static_cast<int32_t>(threadIdx.x / 32);
  const int32_t rows = *a.rows;
  for (int64_t row = blockIdx.y; row < a.capacity; row += gridDim.y) {
    const RowScratch scratch(a, plan, row);
    for (int32_t group = begin; group < plan.groups; group += find_batch * all) {
      // Asked for before it is known whether there is such a row, and whether somebody wants it.
      float x[find_batch][4];
#pragma unroll
      for (int j = 0; j < find_batch; ++j) {
        const int32_t mine = group + j * all < plan.groups ? group + j * all : plan.groups;
        load_logits<wide>(a.logits + row * a.vocabulary, static_cast<int32_t>(a.vocabulary),
                          mine * choice_group + 4 * lane, x[j]);
      }
      if ((row >= rows) | (a.choices[row].wanted == 0)) break;  // one branch: one wait for both
#pragma unroll
      for (int j = 0; j < find_batch; ++j) {
        const int32_t mine = group + j * all;
        if (mine < plan.groups) write_largest(x[j], mine * choice_group + 4 * lane, scratch.largest + mine);
      }
    }
    if (blockIdx.x == 0 && row < rows && choice_draws(a.choices[row])) {
      for (int i = static_cast<int>(threadIdx.x); i < choice_bins; i += find_threads) scratch.sums[i] = 0;
      if (threadIdx.x == 0) *scratch.arrived = 0;
    }
  }
}

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

template <bool wide>
__global__ void __launch_bounds__(choose_threads, 1) choose(ChooseTokenArgs a, ChooseTokenPlan plan) {
  auto& shared = *static_cast<ChooseShared*>(dynamic_shared());
  let_next_kernel_start();
  wait_for_previous_kernel();
  const auto thread = static_cast<int32_t>(threadIdx.x), slice = static_cast<int32_t>(blockIdx.x);
  const int32_t rows = *a.rows;
  for (int64_t r = blockIdx.y; r < a.capacity; r += gridDim.y) {
    const RowScratch scratch(a, plan, r);
    const TokenChoice choice = a.choices[r];
    uint64_t best = ~uint64_t{0};
#pragma unroll 1
    for (int32_t first = thread; first < plan.groups; first += find_batch * choose_threads) {
      uint64_t entry[find_batch];
#pragma unroll
      for (int j = 0; j < find_batch; ++j) {
        const int32_t i = first + j * choose_threads;
        entry[j] = i < plan.groups ? scratch.largest[i] : ~uint64_t{0};
      }
#pragma unroll
      for (int j = 0; j < find_batch; ++j) best = entry[j] < best ? entry[j] : best;
    }
    const bool draws = choice_draws(choice);
    if ((r >= rows) | ((slice > 0) & !draws)) continue;
    best = choice.wanted != 0 ? block_least(best, shared) : ~uint64_t{0};
    const bool none = rank_of_entry(best) >= no_rank;
    if (none || !draws) {
      if (slice == 0 && thread == 0) a.tokens[r] = none ? -1 : index_of_entry(best);
      continue;
    }
    const auto vocabulary = static_cast<int32_t>(a.vocabulary);
    const bool some = choice.top_k > 0 && choice.top_k < vocabulary;
    const int32_t length = plan.slice_groups * choice_group, begin = slice * length;
    const ChoiceRow<wide> row = {a.logits + r * a.vocabulary,
                                 vocabulary,
                                 choice,
                                 logit_of(rank_of_entry(best)),
                                 choice_scale(choice.temperature),
                                 rank_of_entry(best),
                                 index_of_entry(best)};
    const Drawing<wide> drawing = {row, plan, scratch, shared, some, some || choice.top_p < 1, begin, begin + length};
    drawing.add_slice();
    if (!drawing.is_last()) continue;
    const int32_t token = drawing.ranked ? drawing.draw_ranked() : drawing.draw_from_all();
    if (thread == 0) a.tokens[r] = token;
  }
}

int64_t scratch_bytes(const void* args, int32_t) {
  const auto& a = *static_cast<const ChooseTokenArgs*>(args);
  return choose_token_scratch_bytes(a.capacity, a.vocabulary);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ChooseTokenArgs*>(args);
  if (a.capacity < 1) return;
  const ChooseTokenPlan plan = choose_token_plan(a.capacity, a.vocabulary, multiprocessors(context));
  const bool wide = has_quads(a.logits, a.vocabulary, 4);
  const auto rows = static_cast<unsigned>(plan.grid_rows);
  launch_overlapped(wide ? &find_largest<true> : &find_largest<false>,
                    {static_cast<unsigned>(plan.find_blocks), rows, 1}, {find_threads, 1, 1}, 0, context.stream, a,
                    plan);
  launch_overlapped(wide ? &choose<true> : &choose<false>, {static_cast<unsigned>(plan.slices), rows, 1},
                    {choose_threads, 1, 1}, sizeof(ChooseShared), context.stream, a, plan);
}

}  // namespace

extern const Variant kernel_cuda_choose_token_sm80;
const Variant kernel_cuda_choose_token_sm80 = {Op::choose_token, Isa::sm80,     "choose_token.sm80",
                                               nullptr,          scratch_bytes, run};

}  // namespace graft::kernels
