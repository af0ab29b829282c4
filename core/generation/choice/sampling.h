// Choosing the next token from logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/spec/choose_token.h"

namespace graft {

struct SamplingOptions {
  bool greedy = false;
  double temperature = 1.0;  ///< 0 is greedy
  int64_t top_k = 0;         ///< 0: all
  double top_p = 1.0;        ///< 1: all
  double min_p = 0.0;        ///< 0: all
  double typical_p = 1.0;    ///< 1: all
  int64_t seed = -1;         ///< -1: drawn
};

/// The first largest of `logits`; -1 when none is above minus infinity.
int64_t most_likely(const float* logits, int64_t count);

/// One sequence's choices: equal options, index and logits give equal tokens. One thread at a time.
class Sampler {
 public:
  struct Candidate {
    double logit;  ///< divided by the temperature
    double weight;
    int32_t token;
  };

  /// `sequence` tells the answers of one request apart: each draws its own numbers from the same seed.
  explicit Sampler(const SamplingOptions& options, int64_t sequence = 0);

  /// The chosen token of `logits` [vocabulary]. Greedy: the first largest. Otherwise one of keep(), drawn by weight
  /// with the generator of kernels/spec/choose_token.h. -1 when none is above minus infinity, which NaN counts as.
  /// Allocates only on the first call.
  int64_t choose(const float* logits, int64_t vocabulary);

  /// The next choice for a device to make, which gives the token of choose() but for the rounding of float32; nothing
  /// where no device makes such a choice.
  std::optional<kernels::TokenChoice> on_device() const;
  /// Goes on by one choice, which somebody else made.
  void skip();

  /// The tokens that may be drawn, with weights in proportion to their probabilities; at least one unless every logit
  /// is minus infinity. As Transformers' processors in their order: temperature, top_k, top_p, min_p, typical_p
  /// (Meister et al. 2023); each looks at the distribution that the one before left. Valid until the next call.
  std::span<const Candidate> keep(const float* logits, int64_t vocabulary);

 private:
  /// As a device sees it, to whom a temperature is a float32 number.
  bool greedy() const { return options_.greedy || static_cast<float>(options_.temperature) == 0; }
  bool keeps_all() const {
    return options_.top_k <= 0 && options_.top_p >= 1 && options_.min_p <= 0 && options_.typical_p >= 1;
  }
  int64_t draw_of_all(const float* logits, int64_t vocabulary);
  void filter(const float* logits, int64_t vocabulary);
  double weigh();
  void keep_top_k();
  void keep_top_p();
  void keep_min_p();
  void keep_typical();

  SamplingOptions options_;
  uint64_t state_;
  std::vector<Candidate> candidates_;
};

}  // namespace graft
