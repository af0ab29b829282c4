// Which requests take part in a step: every running one decodes, prompts fill what room is left in chunks (the
// SplitFuse idea of DeepSpeed-FastGen). Engine thread only.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/engine/model_runner.h"
#include "core/generation/work/work.h"

namespace graft {

class Scheduler {
 public:
  Scheduler(ModelRunner& runner, std::shared_ptr<const Tokenizer> tokenizer);

  /// Takes a checked request; it waits until there is room.
  void add(std::shared_ptr<RequestState> request);

  /// One step: ends what was cancelled or is too late, admits, computes, gives out. False when nothing is left to do.
  bool step();

  /// Ends every request: cancelled when `code` is OK, failed with the message otherwise.
  void end_all(StatusCode code, const std::string& message);

  int64_t waiting() const { return static_cast<int64_t>(waiting_.size()); }
  /// Sequences in work.
  int64_t running() const { return sequences_; }

 private:
  struct Running {
    std::unique_ptr<Work> work;
    int64_t sequences;              ///< that it may have in a step
    std::vector<int64_t> reserved;  ///< cache blocks per kind
  };

  static bool end_if_over(RequestState& request, Work* work);
  void end_overdue();
  void admit();
  void start(std::shared_ptr<RequestState> request, std::vector<int64_t> needed);
  void fill_step();
  void add_prompts(StepBuffer& step);
  bool take(Work& work, const StepOutput& output);
  void release(size_t index);

  ModelRunner& runner_;
  WorkContext context_;
  std::deque<std::shared_ptr<RequestState>> waiting_;  ///< by priority, then arrival
  std::vector<Running> running_;
  int64_t sequences_ = 0;
  std::vector<int64_t> reserved_;  ///< blocks promised per kind: what is admitted can always finish
  std::vector<Work*> in_step_;
  bool prompts_wait_ = false;  ///< of running requests, for the next step
  size_t next_prompt_ = 0;
};

}  // namespace graft
