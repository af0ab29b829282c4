#include "core/generation/choice/beam_search.h"

#include <algorithm>
#include <cmath>

namespace graft {

BeamSearch::BeamSearch(int64_t beams, double length_penalty, std::vector<int64_t> end_tokens, int64_t max_tokens)
    : beams_(beams),
      length_penalty_(length_penalty),
      end_tokens_(std::move(end_tokens)),
      max_tokens_(max_tokens),
      running_(1, Running{{}, 0.0}) {}

bool BeamSearch::ends(int64_t token) const { return std::ranges::find(end_tokens_, token) != end_tokens_.end(); }

// Enough candidates that `beams_` of them go on even when every beam's best tokens end it.
void BeamSearch::find_candidates(std::span<const float* const> rows, int64_t vocabulary) {
  const size_t wanted = static_cast<size_t>(beams_) * std::max<size_t>(2, 1 + end_tokens_.size());
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
  };
  candidates_.clear();
  for (size_t b = 0; b < rows.size(); ++b) {
    for (int64_t token = 0; token < vocabulary; ++token) {
      const auto logprob = static_cast<double>(rows[b][token]);
      if (!(logprob > -HUGE_VAL)) continue;  // banned, or not a number
      const Candidate candidate{static_cast<int64_t>(b), token, running_[b].score + logprob};
      if (candidates_.size() < wanted) {
        candidates_.push_back(candidate);
        std::ranges::push_heap(candidates_, better);
      } else if (better(candidate, candidates_.front())) {
        std::ranges::pop_heap(candidates_, better);
        candidates_.back() = candidate;
        std::ranges::push_heap(candidates_, better);
      }
    }
  }
  std::ranges::sort_heap(candidates_, better);
}

void BeamSearch::finish(const Candidate& candidate) {
  std::vector<int64_t> tokens = running_[static_cast<size_t>(candidate.parent)].tokens;
  tokens.push_back(candidate.token);
  const double score = candidate.score / std::pow(static_cast<double>(tokens.size()), length_penalty_);
  const auto place = std::ranges::find_if(finished_, [&](const Finished& other) { return other.score < score; });
  finished_.insert(place, {std::move(tokens), score});
  if (static_cast<int64_t>(finished_.size()) > beams_) finished_.pop_back();
}

bool BeamSearch::can_improve() const {
  if (static_cast<int64_t>(finished_.size()) < beams_) return true;
  const double length = static_cast<double>(running_.front().tokens.size());
  return running_.front().score / std::pow(length, length_penalty_) > finished_.back().score;
}

std::span<const BeamSearch::Continuation> BeamSearch::step(std::span<const float* const> rows, int64_t vocabulary) {
  find_candidates(rows, vocabulary);
  const bool last = static_cast<int64_t>(running_.front().tokens.size()) + 1 >= max_tokens_;
  std::vector<Running> next;
  continuations_.clear();
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    if (last || ends(candidate.token)) {
      // An end below the best `beams_` candidates does not count: a beam that goes on has taken its place.
      if (static_cast<int64_t>(i) < beams_) finish(candidate);
    } else if (static_cast<int64_t>(next.size()) < beams_) {
      next.push_back({running_[static_cast<size_t>(candidate.parent)].tokens, candidate.score});
      next.back().tokens.push_back(candidate.token);
      continuations_.push_back({candidate.parent, candidate.token});
    }
  }
  if (next.empty()) {
    continuations_.clear();
    return continuations_;
  }
  running_ = std::move(next);
  if (!can_improve()) continuations_.clear();
  return continuations_;
}

}  // namespace graft
