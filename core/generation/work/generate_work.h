// A generate request: one prompt, one or more answers that are sampled independently.
#pragma once

#include <memory>
#include <vector>

#include "core/generation/work/answer.h"

namespace graft {

/// The prompt is computed once; then each answer goes on from a fork of it.
class GenerateWork : public Work {
 public:
  GenerateWork(std::shared_ptr<RequestState> request, const WorkContext& context);

  bool decoding() const override { return decoding_; }
  bool add_to(StepBuffer& step) override;
  bool take(const StepOutput& output) override;
  void cancel() override;

 private:
  struct Branch {
    std::unique_ptr<Sequence> sequence;
    std::unique_ptr<Answer> answer;
    bool in_step = false;
    bool on_device = false;  ///< its next token is chosen with the step
  };

  void fork_answers();
  /// Gives the branch its next token, from a row of the step; takes it out of `live_` when it has ended.
  void take_token(size_t index, const StepOutput& output, int64_t row, bool on_device);
  void end(size_t index, FinishReason reason);

  WorkContext context_;
  std::vector<Branch> live_;  ///< the first alone until the prompt is in the cache
  bool decoding_ = false;
};

}  // namespace graft
