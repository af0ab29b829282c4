#include "core/generation/choice/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace graft {

double log_sum_exp(const float* logits, int64_t count) {
  double top = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i) {
    if (static_cast<double>(logits[i]) > top) top = static_cast<double>(logits[i]);
  }
  if (std::isinf(top)) return top;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isnan(logits[i])) sum += std::exp(static_cast<double>(logits[i]) - top);
  }
  return top + std::log(sum);
}

// A heap of the best so far, worst on top: one pass, whatever the vocabulary.
void top_logprobs(const float* logits, int64_t vocabulary, int64_t count, double normalizer,
                  std::vector<TokenLogprob>& out) {
  const auto better = [](const TokenLogprob& a, const TokenLogprob& b) {
    return a.logprob > b.logprob || (a.logprob == b.logprob && a.token < b.token);
  };
  out.clear();
  if (count <= 0) return;
  for (int64_t token = 0; token < vocabulary; ++token) {
    if (std::isnan(logits[token])) continue;
    const TokenLogprob entry{token, static_cast<double>(logits[token]) - normalizer};
    if (static_cast<int64_t>(out.size()) < count) {
      out.push_back(entry);
      std::ranges::push_heap(out, better);
    } else if (better(entry, out.front())) {
      std::ranges::pop_heap(out, better);
      out.back() = entry;
      std::ranges::push_heap(out, better);
    }
  }
  std::ranges::sort_heap(out, better);
}

}  // namespace graft
