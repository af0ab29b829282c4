// Choosing the next token from logits.
#pragma once

#include <cstdint>
#include <vector>

namespace graft {

struct SamplingOptions {
  bool greedy = false;
  double temperature = 1.0;  ///< 0 is greedy
  int64_t top_k = 0;         ///< 0: all
  double top_p = 1.0;        ///< 1: all
  int64_t seed = -1;         ///< -1: drawn
};

/// One sequence's choices: equal seeds and logits give equal tokens. One thread at a time.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);

  /// The chosen token of `logits` [vocabulary]. Greedy: the first largest. Otherwise, as Transformers' processors in
  /// this order: divide by temperature, keep the top_k largest, keep the smallest set whose probability reaches top_p,
  /// draw. NaN logits count as minus infinity. Allocates only on the first call.
  int64_t choose(const float* logits, int64_t vocabulary);

 private:
  double uniform();

  struct Candidate {
    float logit;
    int32_t token;
  };

  SamplingOptions options_;
  uint64_t state_;
  std::vector<Candidate> candidates_;
  std::vector<double> weights_;
};

}  // namespace graft
