// Rules that change logits before a token is chosen: penalties, bias, bans.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace graft {

struct LogitRules {
  double repetition_penalty = 1.0;  ///< over prompt and answer
  double frequency_penalty = 0.0;   ///< over the answer
  double presence_penalty = 0.0;    ///< over the answer
  int64_t penalty_window = 0;       ///< last tokens that the penalties look at; 0: all
  int64_t no_repeat_ngram = 0;      ///< 0: off
  int64_t min_tokens = 0;           ///< tokens of the answer before an end token may come
  std::vector<std::pair<int64_t, double>> bias{};
  std::vector<int64_t> allowed{};  ///< empty: all
  std::vector<int64_t> banned{};

  bool empty() const;
};

/// Applies rules to one sequence's logits. One thread at a time.
class LogitProcessor {
 public:
  /// `end_tokens`: what ends an answer, banned until min_tokens are there.
  LogitProcessor(const LogitRules& rules, std::span<const int64_t> end_tokens);

  /// Whether there are no rules.
  bool idle() const { return idle_; }

  /// The logits [vocabulary] that a token is chosen from, after `tokens` (the first `prompt_size` of them the prompt).
  /// Without rules that is `logits` itself, otherwise a copy that is valid until the next call. Order as in
  /// Transformers: bias, repetition penalty, no repeated n-gram, banned, min_tokens; then frequency and presence
  /// penalty, allowed. Ids beyond the vocabulary have no effect. Sources: Keskar et al. 2019 (repetition), Paulus et
  /// al. 2017 (n-grams).
  const float* apply(const float* logits, int64_t vocabulary, std::span<const int64_t> tokens, int64_t prompt_size);

 private:
  void apply_bias();
  void penalize_repetition(std::span<const int64_t> tokens);
  void ban_repeated_ngrams(std::span<const int64_t> tokens);
  void penalize_frequency(std::span<const int64_t> answer);
  void keep_allowed();
  void ban(int64_t token);

  LogitRules rules_;
  std::vector<int64_t> end_tokens_;
  bool idle_;
  std::vector<float> logits_;
  std::vector<int32_t> counts_;  ///< per token, zero between calls
};

}  // namespace graft
