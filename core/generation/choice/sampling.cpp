#include "core/generation/choice/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/spec/choice_weight.h"

namespace graft {
namespace {

uint64_t drawn_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) ^ device();
}

bool more_likely(const Sampler::Candidate& a, const Sampler::Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

}  // namespace

int64_t most_likely(const float* logits, int64_t count) {
  int64_t best = -1;
  float best_value = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < count; ++i) {
    if (logits[i] > best_value) {
      best_value = logits[i];
      best = i;
    }
  }
  return best;
}

Sampler::Sampler(const SamplingOptions& options, int64_t sequence)
    : options_(options), state_(options.seed >= 0 ? static_cast<uint64_t>(options.seed) : drawn_seed()) {
  // Any odd constant will do that is not the generator's own step, which would only shift the sequence.
  state_ += static_cast<uint64_t>(sequence) * 0xd1342543de82ef95u;
}

std::optional<kernels::TokenChoice> Sampler::on_device() const {
  kernels::TokenChoice choice{};
  choice.wanted = 1;
  if (greedy()) return choice;
  if (options_.typical_p < 1) return std::nullopt;
  choice.state = state_;
  choice.temperature = static_cast<float>(options_.temperature);
  choice.top_p = static_cast<float>(options_.top_p);
  choice.min_p = static_cast<float>(options_.min_p);
  choice.top_k = static_cast<int32_t>(std::min<int64_t>(options_.top_k, std::numeric_limits<int32_t>::max()));
  return choice;
}

void Sampler::skip() {
  if (!greedy()) state_ += kernels::choice_step;
}

// Weights of the candidates relative to the most likely one; returns their sum.
double Sampler::weigh() {
  double top = -std::numeric_limits<double>::infinity();
  for (const Candidate& candidate : candidates_) top = std::max(top, candidate.logit);
  double total = 0;
  for (Candidate& candidate : candidates_) {
    // Plus infinity leaves no room for others; its difference with itself is not a number.
    candidate.weight = candidate.logit == top ? 1.0 : std::exp(candidate.logit - top);
    total += candidate.weight;
  }
  return total;
}

void Sampler::keep_top_k() {
  if (options_.top_k <= 0 || options_.top_k >= static_cast<int64_t>(candidates_.size())) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + options_.top_k - 1, candidates_.end(), more_likely);
  candidates_.resize(static_cast<size_t>(options_.top_k));
}

// No more are put in order than it takes: mostly few of many are kept.
void Sampler::keep_top_p() {
  if (options_.top_p >= 1) return;
  constexpr size_t first_sorted = 256, growth = 4;
  const double wanted = options_.top_p * weigh();
  const auto at = [this](size_t index) { return candidates_.begin() + static_cast<std::ptrdiff_t>(index); };
  double reached = 0;
  size_t kept = 0, sorted = 0;
  while (kept < candidates_.size() && reached < wanted) {
    if (kept == sorted) {
      sorted = std::min(std::max(first_sorted, growth * sorted), candidates_.size());
      if (sorted < candidates_.size()) std::nth_element(at(kept), at(sorted), candidates_.end(), more_likely);
      std::sort(at(kept), at(sorted), more_likely);
    }
    reached += candidates_[kept++].weight;
  }
  candidates_.resize(std::max<size_t>(kept, 1));
}

void Sampler::keep_min_p() {
  if (options_.min_p <= 0) return;
  weigh();
  std::erase_if(candidates_, [&](const Candidate& candidate) { return candidate.weight < options_.min_p; });
}

void Sampler::keep_typical() {
  if (options_.typical_p >= 1) return;
  const double total = weigh();
  double entropy = 0;
  for (const Candidate& candidate : candidates_) {
    const double probability = candidate.weight / total;
    if (probability > 0) entropy -= probability * std::log(probability);
  }
  const auto distance = [&](const Candidate& candidate) {
    return std::abs(-std::log(candidate.weight / total) - entropy);
  };
  std::ranges::sort(candidates_, [&](const Candidate& a, const Candidate& b) {
    const double left = distance(a), right = distance(b);
    return left < right || (left == right && more_likely(a, b));
  });
  double reached = 0;
  size_t kept = 0;
  while (kept < candidates_.size() && reached < options_.typical_p * total) reached += candidates_[kept++].weight;
  // What is exactly as typical as the last one stays too.
  kept = std::max<size_t>(kept, 1);
  while (kept < candidates_.size() && distance(candidates_[kept]) <= distance(candidates_[kept - 1])) ++kept;
  candidates_.resize(kept);
}

// Leaves the candidates that may be drawn, of no particular weight.
void Sampler::filter(const float* logits, int64_t vocabulary) {
  const double temperature = greedy() ? 1.0 : options_.temperature;
  candidates_.clear();
  for (int64_t i = 0; i < vocabulary; ++i) {
    const auto logit = static_cast<double>(logits[i]);
    if (logit > -std::numeric_limits<double>::infinity()) {
      candidates_.push_back({logit / temperature, 0, static_cast<int32_t>(i)});
    }
  }
  if (candidates_.empty()) return;
  keep_top_k();
  keep_top_p();
  keep_min_p();
  keep_typical();
}

std::span<const Sampler::Candidate> Sampler::keep(const float* logits, int64_t vocabulary) {
  filter(logits, vocabulary);
  weigh();
  return candidates_;
}

int64_t Sampler::draw_of_all(const float* logits, int64_t vocabulary) {
  const int64_t first = most_likely(logits, vocabulary);
  if (first < 0) return first;
  const float largest = logits[first], scale = kernels::choice_scale(static_cast<float>(options_.temperature));
  const auto weight_of = [&](int64_t token) {
    return kernels::choice_weight(kernels::choice_distance(logits[token], largest, scale));
  };
  int64_t total = 0;
  for (int64_t i = 0; i < vocabulary; ++i) total += weight_of(i);
  int64_t left = kernels::choice_target(state_, total), token = -1;
  skip();
  while (left >= 0) left -= weight_of(++token);  // ends before the vocabulary does, for it is less than the total
  return token;
}

int64_t Sampler::choose(const float* logits, int64_t vocabulary) {
  if (greedy()) return most_likely(logits, vocabulary);
  if (keeps_all()) return draw_of_all(logits, vocabulary);
  filter(logits, vocabulary);
  if (candidates_.empty()) return -1;
  // As kernels/spec/choose_token.h: by whole numbers, in the order of the vocabulary, in which they mostly are.
  if (!std::ranges::is_sorted(candidates_, {}, &Candidate::token))
    std::ranges::sort(candidates_, {}, &Candidate::token);
  const float largest = logits[std::ranges::max_element(candidates_, {}, &Candidate::logit)->token];
  const float scale = kernels::choice_scale(static_cast<float>(options_.temperature));
  int64_t total = 0;
  for (Candidate& candidate : candidates_) {
    const int64_t weight = kernels::choice_weight(kernels::choice_distance(logits[candidate.token], largest, scale));
    candidate.weight = static_cast<double>(weight);  // exact: at most 2^40
    total += weight;
  }
  int64_t left = kernels::choice_target(state_, total);
  skip();
  for (const Candidate& candidate : candidates_) {
    left -= static_cast<int64_t>(candidate.weight);
    if (left < 0) return candidate.token;
  }
  return candidates_.back().token;
}

}  // namespace graft
