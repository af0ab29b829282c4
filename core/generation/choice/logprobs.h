// Log probabilities of tokens under the model.
#pragma once

#include <cstdint>
#include <vector>

namespace graft {

struct TokenLogprob {
  int64_t token = -1;
  double logprob = 0;
};

/// Logarithm of the sum of exponentials of `logits` [count]: what a logit is lowered by to be a log probability. NaN
/// counts as minus infinity.
double log_sum_exp(const float* logits, int64_t count);

/// The `count` most likely tokens, most likely first (the lower id first where equal); fewer when the vocabulary is
/// smaller. Replaces the content of `out`.
void top_logprobs(const float* logits, int64_t vocabulary, int64_t count, double normalizer,
                  std::vector<TokenLogprob>& out);

}  // namespace graft
