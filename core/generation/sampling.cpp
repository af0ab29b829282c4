#include "core/generation/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace graft {
namespace {

int64_t largest(const float* logits, int64_t count) {
  int64_t best = 0;
  float best_value = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < count; ++i) {
    if (logits[i] > best_value) {
      best_value = logits[i];
      best = i;
    }
  }
  return best;
}

uint64_t drawn_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) ^ device();
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options)
    : options_(options), state_(options.seed >= 0 ? static_cast<uint64_t>(options.seed) : drawn_seed()) {}

// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good from any seed.
double Sampler::uniform() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

int64_t Sampler::choose(const float* logits, int64_t vocabulary) {
  if (options_.greedy || options_.temperature == 0) return largest(logits, vocabulary);
  candidates_.clear();
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (!std::isnan(logits[i])) candidates_.push_back({logits[i], static_cast<int32_t>(i)});
  }
  if (candidates_.empty()) return 0;
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  };
  size_t kept = candidates_.size();
  if (options_.top_k > 0 && static_cast<size_t>(options_.top_k) < kept) {
    kept = static_cast<size_t>(options_.top_k);
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(kept) - 1, candidates_.end(),
                     before);
    candidates_.resize(kept);
  }
  if (options_.top_p < 1) std::sort(candidates_.begin(), candidates_.end(), before);
  const float top = std::min_element(candidates_.begin(), candidates_.end(), before)->logit;
  if (std::isinf(top)) return std::min_element(candidates_.begin(), candidates_.end(), before)->token;
  weights_.resize(kept);
  double total = 0;
  for (size_t i = 0; i < kept; ++i) {
    weights_[i] = std::exp((static_cast<double>(candidates_[i].logit) - top) / options_.temperature);
    total += weights_[i];
  }
  if (options_.top_p < 1) {
    double reached = 0;
    size_t n = 0;
    while (n < kept && reached < options_.top_p * total) reached += weights_[n++];
    kept = std::max<size_t>(n, 1);
    total = 0;
    for (size_t i = 0; i < kept; ++i) total += weights_[i];
  }
  double target = uniform() * total;
  for (size_t i = 0; i < kept; ++i) {
    target -= weights_[i];
    if (target < 0) return candidates_[i].token;
  }
  return candidates_[kept - 1].token;
}

}  // namespace graft
