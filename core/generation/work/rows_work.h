// Requests for the model's own rows: logits, hidden states, or an embedding made of them.
#pragma once

#include <memory>

#include "core/generation/work/pooling.h"
#include "core/generation/work/sequence.h"
#include "core/generation/work/work.h"

namespace graft {

/// One pass over the input; the result appears as a tensor when it is whole. An encoder's input goes into one step.
class RowsWork : public Work {
 public:
  RowsWork(std::shared_ptr<RequestState> request, const WorkContext& context);

  bool decoding() const override { return false; }
  bool add_to(StepBuffer& step) override;
  bool take(const StepOutput& output) override;
  void cancel() override { request().finish(FinishReason::cancelled, 0); }

 private:
  void take_rows(const float* rows, int64_t count);
  void publish();
  void publish_scores();

  WorkContext context_;
  RequestKind request_kind_;
  Sequence sequence_;
  bool wants_head_;
  StepBuffer::Rows rows_;
  int64_t columns_;
  std::shared_ptr<ResultTensor> result_;
  int64_t taken_ = 0;  ///< rows in the result
  std::unique_ptr<Pooler> pooler_;
};

}  // namespace graft
