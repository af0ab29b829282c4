// One answer of a generate request: how its tokens are chosen, and what its holder sees of them. Engine thread only.
#pragma once

#include <optional>
#include <vector>

#include "core/generation/choice/logit_rules.h"
#include "core/generation/choice/stop_text.h"
#include "core/generation/work/sequence.h"
#include "core/generation/work/work.h"

namespace graft {

/// Tokens that end an answer of this request: the model's own unless it ignores them, and the request's.
std::vector<int64_t> end_tokens(const RequestSpec& spec, const ModelConfig& config);

class Answer {
 public:
  /// `index` tells the answers of a request apart.
  Answer(RequestState& request, const WorkContext& context, int64_t index);

  /// Chooses the next token from `logits` [vocabulary], appends it to the sequence and publishes it. The reason when
  /// the answer ends with it.
  FinishReason next(const float* logits, Sequence& sequence);

  /// How a device chooses the next token; nothing where it cannot, since it takes rules or logprobs.
  std::optional<kernels::TokenChoice> choice_on_device() const;
  /// As next, with the token that the device chose; -1: it could not.
  FinishReason take(int64_t token, Sequence& sequence);

  /// Publishes a token that somebody else chose, the `completion_tokens`-th. True when it or its text ends the answer.
  bool publish(int64_t token, int64_t completion_tokens);

  /// Publishes text that was held back.
  void flush();

  int64_t index() const { return event_.sequence; }

 private:
  void require(int64_t token) const;
  FinishReason append(int64_t token, Sequence& sequence);
  void publish_text(std::string_view text);

  RequestState& request_;
  const Tokenizer* tokenizer_;
  int64_t vocabulary_;
  std::vector<int64_t> end_tokens_;
  Sampler sampler_;
  LogitProcessor rules_;
  StopText stop_;
  std::optional<StreamDecoder> decoder_;
  EventRecord event_;  ///< reused for every event
};

}  // namespace graft
