#pragma once

#include <cstdint>

#include "kernels/spec/choose_token.h"

namespace graft::kernels {

/// Makes the arrays of a step, in place, those of the step after it, in which every sequence has the token that was
/// chosen for it as its only one. For steps in which row r, token r and sequence r are the same for all r < *rows; what
/// it makes of others is of no use and does no harm. For r < *rows:
///
/// - token_ids[r] = max(tokens[r], 0), positions[r] += 1, context_lengths[r] += 1
/// - choices[r].state goes on by one draw (0x9e3779b97f4a7c15) where the choice is wanted and its temperature above 0
/// - in each cache slots[r] = block_table[r, n / block_size] * block_size + n % block_size for n = context_lengths[r]
///   before; -1 where that entry is negative or none of the table
struct NextStepArgs {
  static constexpr int32_t max_caches = 4;
  struct Cache {
    int32_t* slots;              ///< [capacity]
    const int32_t* block_table;  ///< [capacity, stride]
    int64_t stride;
    int32_t block_size;
  };

  const int32_t* rows;
  int64_t capacity;
  const int32_t* tokens;  ///< [capacity]
  int32_t* token_ids;     ///< [capacity], so are the following
  int32_t* positions;
  int32_t* context_lengths;
  TokenChoice* choices;
  int32_t caches;  ///< of the following, in use
  Cache cache[max_caches];
};

}  // namespace graft::kernels
