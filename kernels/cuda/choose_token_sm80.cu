// choose_token: two launches. In the first many blocks a row write down the largest of each group of 128 logits, and
// make the row's sums zero. In the second a block finds from these the largest of all, which is all that a greedy row
// needs. A row that is drawn is dealt to several blocks in slices, which add up what they find; the last one to come
// draws. With top_k or top_p the sums are by distance from the largest, which tells how far candidates go; these are
// put into shared memory (of groups whose largest is too far away nothing is read), and radix selection over rank and
// place finds the last one kept. All sums are integers, so no order shows.
#include "kernels/spec/choose_token.h"

#include "kernels/cuda/choose_token_draw.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

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

// More candidates than that could overflow a sum of weights.
bool accepts(const void* args) { return static_cast<const ChooseTokenArgs*>(args)->vocabulary <= int64_t{1} << 22; }

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
                                               accepts,          scratch_bytes, run};

}  // namespace graft::kernels
