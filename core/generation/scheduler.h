// Which sequences take part in a step: every running one decodes, prompts fill what room is left in chunks (the
// SplitFuse idea of DeepSpeed-FastGen). Engine thread only.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/engine/model_runner.h"
#include "core/generation/sequence.h"

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
  int64_t running() const { return static_cast<int64_t>(running_.size()); }

 private:
  struct Running {
    std::unique_ptr<Sequence> sequence;
    std::vector<int64_t> reserved;
  };

  static bool end_if_over(RequestState& request, Sequence* sequence);
  void end_overdue();
  void admit();
  void fill_step();
  void release(size_t index);

  ModelRunner& runner_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::deque<std::shared_ptr<RequestState>> waiting_;  ///< by priority, then arrival
  std::vector<Running> running_;
  std::vector<int64_t> reserved_;  ///< blocks promised per kind: what is admitted can always finish
  std::vector<Sequence*> in_step_;
  size_t next_prompt_ = 0;
};

}  // namespace graft
