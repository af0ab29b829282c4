// One round of a benchmark: a batch of random prompts, prefilled and decoded, with the times seen from outside.
#pragma once

#include <cstdint>
#include <random>

#include "session.h"

namespace cli {

struct BenchShape {
  int64_t prompt;    ///< tokens of each prompt
  int64_t generate;  ///< tokens generated after each
  int64_t batch;     ///< sequences submitted together
  int64_t vocabulary;
};

struct BenchRound {
  double first_token_seconds = 0;        ///< from submit to the first token, mean over the batch
  double prefill_tokens_per_second = 0;  ///< all prompts, until the last sequence has its first token
  double decode_tokens_per_second = 0;   ///< all sequences, from then on; 0 when nothing was left to decode
};

/// Prompts are drawn anew each round, so that no round finds the prefix of another in the cache. Throws Failure, or
/// Interrupted after Ctrl-C.
BenchRound run_round(const Session& session, const BenchShape& shape, std::mt19937_64& random);

}  // namespace cli
