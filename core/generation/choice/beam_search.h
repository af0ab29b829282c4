// Beam search over log probabilities: which beams go on, which are finished, when it ends. Knows nothing of models.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace graft {

/// Source: Transformers' GenerationMixin._beam_search with early_stopping off: scores are sums of log probabilities;
/// a finished beam's is divided by its length to the power of the penalty; the search ends when no running beam can
/// still improve on the worst finished one. One thread at a time.
class BeamSearch {
 public:
  struct Finished {
    std::vector<int64_t> tokens;  ///< of the answer, its end token included
    double score;
  };
  /// A running beam after a step: which beam before it goes on, and with which token.
  struct Continuation {
    int64_t parent;
    int64_t token;
  };

  /// `max_tokens`: length of the answer at which every beam is finished.
  BeamSearch(int64_t beams, double length_penalty, std::vector<int64_t> end_tokens, int64_t max_tokens);

  /// One step. `rows[b]` are the processed log probabilities [vocabulary] of running beam b; for the first step one
  /// row. Returns the beams to run next, empty when the search has ended. Valid until the next call.
  std::span<const Continuation> step(std::span<const float* const> rows, int64_t vocabulary);

  /// The best beams, best first; call at the end.
  const std::vector<Finished>& finished() const { return finished_; }

  /// The answer of running beam `beam`, as of the last step.
  const std::vector<int64_t>& running_tokens(int64_t beam) const { return running_[static_cast<size_t>(beam)].tokens; }

 private:
  struct Running {
    std::vector<int64_t> tokens;
    double score;
  };
  struct Candidate {
    int64_t parent;
    int64_t token;
    double score;
  };

  void find_candidates(std::span<const float* const> rows, int64_t vocabulary);
  bool ends(int64_t token) const;
  void finish(const Candidate& candidate);
  bool can_improve() const;

  int64_t beams_;
  double length_penalty_;
  std::vector<int64_t> end_tokens_;
  int64_t max_tokens_;
  std::vector<Running> running_;
  std::vector<Finished> finished_;
  std::vector<Candidate> candidates_;
  std::vector<Continuation> continuations_;
};

}  // namespace graft
