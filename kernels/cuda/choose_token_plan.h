// How choosing tokens is dealt to a GPU and how its scratch is laid out. Pure functions of what the host knows when a
// step is recorded: the most rows, and the vocabulary.
#pragma once

#include "kernels/cuda/plan.h"

namespace graft::kernels::cuda {

/// Logits that a warp takes at a time, four to a lane; of each such group the largest is written down.
inline constexpr int32_t choice_group = 128;
/// Threads of a block that looks for the largest, and loads that each has on the way.
inline constexpr int32_t find_threads = 256;
inline constexpr int32_t find_batch = 4;
/// Threads of a block that draws, and values of a digit: one to a thread.
inline constexpr int32_t choose_threads = 512;
inline constexpr int32_t digit_bits = 9;
static_assert(1 << digit_bits == choose_threads);
/// By distance from the largest logit each of these parts of a power of two has a bin of its own.
inline constexpr int32_t bins_of_octave = 12;
inline constexpr int32_t choice_bins = choose_threads;
static_assert(41 * bins_of_octave <= choice_bins, "choice_reach");
/// Groups of a slice at least, and slices of a row at most.
inline constexpr int32_t shortest_slice = 32;
inline constexpr int32_t most_slices = 64;
/// Candidates that fit into shared memory; more are looked for in the whole row each time.
inline constexpr int32_t choice_candidates = 4096;

struct ChooseTokenPlan {
  int32_t groups;        ///< of a row
  int32_t find_blocks;   ///< to a row, in the first launch
  int32_t slices;        ///< of a row, each a block's of the second launch
  int32_t slice_groups;  ///< the last slice may have fewer
  int32_t grid_rows;     ///< blocks go on to other rows from there
};

inline ChooseTokenPlan choose_token_plan(int64_t capacity, int64_t vocabulary, int32_t multiprocessors) {
  const auto within = [](int64_t value, int64_t most) { return value < 1 ? 1 : value < most ? value : most; };
  ChooseTokenPlan plan = {};
  const int64_t rows = within(capacity, 65535), groups = vocabulary < 1 ? 1 : divide_up(vocabulary, choice_group);
  plan.groups = static_cast<int32_t>(groups);
  plan.grid_rows = static_cast<int32_t>(rows);
  // Of the first kind a multiprocessor holds eight blocks at a time, of the second four: no more than can be there.
  plan.find_blocks =
      static_cast<int32_t>(within(int64_t{8} * multiprocessors / rows, divide_up(groups, find_threads / 32)));
  const int64_t slices =
      within(within(groups / shortest_slice, most_slices), within(int64_t{2} * multiprocessors / rows, most_slices));
  plan.slice_groups = static_cast<int32_t>(divide_up(groups, slices));
  plan.slices = static_cast<int32_t>(divide_up(groups, plan.slice_groups));
  return plan;
}

/// Scratch of a row, in words of 8 bytes: the largest of each group, then sums by bin or by slice, then the number of
/// blocks that have added theirs. Rows do not share a line of the cache.
GRAFT_BOTH int64_t choice_row_words(int32_t groups) { return round_up(int64_t{groups} + choice_bins + 1, 16); }

inline int64_t choose_token_scratch_bytes(int64_t capacity, int64_t vocabulary) {
  return (capacity > 0 ? capacity : 0) * choice_row_words(choose_token_plan(capacity, vocabulary, 1).groups) * 8;
}

}  // namespace graft::kernels::cuda
