// How a row that ranks add up is dealt to the threads of a block. Pure functions of the width.
#pragma once

#include <cstdint>

namespace graft::kernels::cuda {

/// Fewer than a block may have: each keeps many words on their way.
constexpr int32_t most_sum_threads = 512;

/// Pairs whose words a thread asks for at once, from up to `ranks` ranks: a few registers for each word.
template <int ranks>
constexpr int most_sum_batch = ranks <= 2   ? 8
                               : ranks <= 4 ? 4
                                            : 2;
template <int pairs, int ranks>
constexpr int sum_batch = pairs < most_sum_batch<ranks> ? pairs
                          : pairs == 8 && ranks == 8    ? 1
                                                        : most_sum_batch<ranks>;

struct SumPlan {
  int32_t threads;
  int32_t pairs;  ///< of values that a thread keeps in registers: 1, 2, 4 or 8; 0: the row is read again
};

/// Two elements at a time, for rows whose width and address allow it; null can.
inline bool has_pairs(const void* address, int64_t width, int64_t bytes) {
  if (address == nullptr) return width % 2 == 0;  // of no type
  return width % 2 == 0 && reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(2 * bytes) == 0;
}

/// A pair is what a word of the exchange holds, so that neighbouring threads write and read neighbouring words.
inline SumPlan sum_plan(int64_t width, bool has_pairs) {
  const int64_t pieces = (width + 1) / 2;
  const int64_t wanted = (pieces + 31) / 32 * 32;
  const int32_t threads = static_cast<int32_t>(wanted < 32                 ? 32
                                               : wanted > most_sum_threads ? most_sum_threads
                                                                           : wanted);
  if (!has_pairs) return {threads, 0};
  const int64_t each = (pieces + threads - 1) / threads;
  return {threads, each <= 1 ? 1 : each <= 2 ? 2 : each <= 4 ? 4 : each <= 8 ? 8 : 0};
}

}  // namespace graft::kernels::cuda
