#include "core/generation/choice/logit_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace graft {
namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

std::span<const int64_t> last(std::span<const int64_t> tokens, int64_t window) {
  if (window <= 0 || window >= static_cast<int64_t>(tokens.size())) return tokens;
  return tokens.last(static_cast<size_t>(window));
}

}  // namespace

bool LogitRules::empty() const {
  return repetition_penalty == 1 && frequency_penalty == 0 && presence_penalty == 0 && no_repeat_ngram == 0 &&
         min_tokens == 0 && bias.empty() && allowed.empty() && banned.empty();
}

LogitProcessor::LogitProcessor(const LogitRules& rules, std::span<const int64_t> end_tokens)
    : rules_(rules), end_tokens_(end_tokens.begin(), end_tokens.end()), idle_(rules.empty()) {}

const float* LogitProcessor::apply(const float* logits, int64_t vocabulary, std::span<const int64_t> tokens,
                                   int64_t prompt_size) {
  if (idle_) return logits;
  logits_.assign(logits, logits + vocabulary);
  counts_.resize(static_cast<size_t>(vocabulary), 0);
  const std::span<const int64_t> answer = tokens.subspan(static_cast<size_t>(prompt_size));
  apply_bias();
  penalize_repetition(last(tokens, rules_.penalty_window));
  ban_repeated_ngrams(tokens);
  for (int64_t token : rules_.banned) ban(token);
  if (static_cast<int64_t>(answer.size()) < rules_.min_tokens) {
    for (int64_t token : end_tokens_) ban(token);
  }
  penalize_frequency(last(answer, rules_.penalty_window));
  keep_allowed();
  return logits_.data();
}

void LogitProcessor::ban(int64_t token) {
  if (token < static_cast<int64_t>(logits_.size())) logits_[static_cast<size_t>(token)] = never;
}

void LogitProcessor::apply_bias() {
  for (const auto& [token, value] : rules_.bias) {
    if (token < static_cast<int64_t>(logits_.size())) logits_[static_cast<size_t>(token)] += static_cast<float>(value);
  }
}

// Every token once, however often it was seen.
void LogitProcessor::penalize_repetition(std::span<const int64_t> tokens) {
  if (rules_.repetition_penalty == 1) return;
  const auto penalty = static_cast<float>(rules_.repetition_penalty);
  for (int64_t token : tokens) {
    if (counts_[static_cast<size_t>(token)]++ > 0) continue;
    float& logit = logits_[static_cast<size_t>(token)];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
  for (int64_t token : tokens) counts_[static_cast<size_t>(token)] = 0;
}

// Bans what followed each earlier occurrence of the last n - 1 tokens.
void LogitProcessor::ban_repeated_ngrams(std::span<const int64_t> tokens) {
  const int64_t n = rules_.no_repeat_ngram;
  const auto size = static_cast<int64_t>(tokens.size());
  if (n <= 0 || size + 1 < n) return;
  const std::span<const int64_t> prefix = tokens.last(static_cast<size_t>(n - 1));
  for (int64_t begin = 0; begin + n <= size; ++begin) {
    if (std::equal(prefix.begin(), prefix.end(), tokens.begin() + begin)) {
      ban(tokens[static_cast<size_t>(begin + n - 1)]);
    }
  }
}

void LogitProcessor::penalize_frequency(std::span<const int64_t> answer) {
  if (rules_.frequency_penalty == 0 && rules_.presence_penalty == 0) return;
  for (int64_t token : answer) ++counts_[static_cast<size_t>(token)];
  for (int64_t token : answer) {
    int32_t& count = counts_[static_cast<size_t>(token)];
    if (count == 0) continue;
    logits_[static_cast<size_t>(token)] -=
        static_cast<float>(rules_.frequency_penalty * count + rules_.presence_penalty);
    count = 0;
  }
}

void LogitProcessor::keep_allowed() {
  if (rules_.allowed.empty()) return;
  for (int64_t token : rules_.allowed) {
    if (token < static_cast<int64_t>(counts_.size())) counts_[static_cast<size_t>(token)] = 1;
  }
  for (size_t i = 0; i < logits_.size(); ++i) {
    if (counts_[i] == 0) logits_[i] = never;
  }
  for (int64_t token : rules_.allowed) {
    if (token < static_cast<int64_t>(counts_.size())) counts_[static_cast<size_t>(token)] = 0;
  }
}

}  // namespace graft
