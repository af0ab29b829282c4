#pragma once

#include <cstdint>

namespace graft::kernels {

/// How a row's next token is chosen, and where its random numbers stand. All zero: the row is chosen by somebody else.
struct TokenChoice {
  uint64_t state;     ///< of SplitMix64 (Steele, Lea, Flood 2014) before the draw
  float temperature;  ///< above 0, or the first largest logit is taken and nothing is drawn
  float top_p;        ///< 1 or more: all
  float min_p;        ///< 0: all
  int32_t top_k;      ///< 0: all
  int32_t wanted;     ///< 0: tokens[r] becomes -1, the rest is not looked at
  int32_t unused;
};

/// tokens[r] for r < *rows: the row's first largest logit, or one drawn from what top_k, top_p and min_p keep, in this
/// order; -1 where no logit is above minus infinity, which NaN counts as. Defined by integers, so that no order of
/// threads shows, and by operations that IEEE 754 defines, so that no machine shows (kernels/spec/choice_weight.h):
///
/// - distance(i) = (largest - logits[i]) * (log2(e) / temperature) in float32, 0 where logits[i] is the largest
/// - weight(i) = round(2^(40 - distance(i))) with a float32 power of two; 0 from a distance of 41 on
/// - top_k keeps the k largest; of equal logits the first ones
/// - top_p keeps the fewest largest, of equal ones the first, at least one, whose weights sum up to at least top_p
/// times
///   the sum of what top_k kept
/// - min_p keeps weights of at least min_p * 2^40, and always the first largest
/// - the token is the first, in the order of the vocabulary, at which the sum of the weights kept exceeds
///   floor(u * total), u the generator's next number in [0, 1): its top 53 bits times 2^-53
///
/// `choices` is not changed.
struct ChooseTokenArgs {
  const int32_t* rows;
  int64_t capacity;            ///< the most rows that a step can have
  const float* logits;         ///< [capacity, vocabulary]
  int64_t vocabulary;          ///< at most 2^22
  const TokenChoice* choices;  ///< [capacity]
  int32_t* tokens;             ///< [capacity]
  void* scratch;               ///< of scratch_bytes, no particular content
};

}  // namespace graft::kernels
