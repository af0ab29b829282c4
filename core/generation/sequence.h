// A request in work: its tokens, its cache blocks and how its next token is chosen. Engine thread only.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/generation/request.h"
#include "core/step/step_buffer.h"
#include "core/text/tokenizer.h"

namespace graft {

class Sequence {
 public:
  /// `planned_length`: tokens it may reach. `tokenizer` may be null: then events carry no text.
  Sequence(std::shared_ptr<RequestState> request, CachePool& pool, int64_t planned_length, int64_t vocabulary,
           const std::shared_ptr<const Tokenizer>& tokenizer);

  RequestState& request() { return *request_; }
  const RequestState& request() const { return *request_; }

  int64_t planned_length() const { return planned_length_; }
  /// Tokens not yet in the cache.
  int64_t pending() const { return static_cast<int64_t>(tokens_.size()) - computed_; }
  bool decoding() const { return computed_ >= static_cast<int64_t>(request_->spec().prompt.size()); }

  /// Puts up to `most` pending tokens into the step. Returns false when the cache has no block left for them.
  bool add_to(StepBuffer& step, int64_t most);

  /// Takes what the step computed. `logits` is the whole step's [R, vocabulary]. Chosen tokens become events; returns
  /// the reason when the sequence has ended with them.
  FinishReason take(const float* logits, const std::vector<int64_t>& end_tokens);

  /// Ends the request: what text was held back is given out first.
  void finish(FinishReason reason);

  int64_t generated() const {
    return static_cast<int64_t>(tokens_.size()) - static_cast<int64_t>(request_->spec().prompt.size());
  }

 private:
  FinishReason take_token(const float* row, const std::vector<int64_t>& end_tokens);
  void take_rows(const float* rows);
  void publish_text(std::string_view text);

  std::shared_ptr<RequestState> request_;
  SequenceBlocks blocks_;
  int64_t planned_length_;
  int64_t vocabulary_;
  std::vector<int64_t> tokens_;
  int64_t computed_ = 0;
  int64_t in_step_ = 0;           ///< tokens of the step under way
  int64_t first_logit_row_ = -1;  ///< of the step under way
  Sampler sampler_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::optional<StreamDecoder> decoder_;
  std::shared_ptr<ResultTensor> rows_;  ///< of a logits request
  EventRecord event_;                   ///< reused for every event
};

}  // namespace graft
