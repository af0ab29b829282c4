// A generate request with beams.
#pragma once

#include <memory>
#include <vector>

#include "core/generation/choice/beam_search.h"
#include "core/generation/work/answer.h"

namespace graft {

/// Runs the beams as sequences that share their cache blocks; answers are published when the search has ended, the best
/// first. Deterministic: of the sampling settings only the logit rules apply, to log probabilities.
class BeamWork : public Work {
 public:
  BeamWork(std::shared_ptr<RequestState> request, const WorkContext& context);

  bool decoding() const override { return decoding_; }
  bool add_to(StepBuffer& step) override;
  bool take(const StepOutput& output) override;
  void cancel() override;

 private:
  struct Beam {
    std::unique_ptr<Sequence> sequence;
    std::unique_ptr<LogitProcessor> rules;
    std::vector<float> logprobs;
  };

  Beam make_beam(std::unique_ptr<Sequence> sequence);
  void compute_logprobs(const StepOutput& output);
  void follow(std::span<const BeamSearch::Continuation> continuations);
  void publish();

  WorkContext context_;
  std::vector<int64_t> end_tokens_;
  BeamSearch search_;
  std::vector<Beam> beams_;  ///< the first alone until the prompt is in the cache
  bool decoding_ = false;
};

}  // namespace graft
