#include "core/generation/work/answer.h"

#include <algorithm>

#include "core/base/status.h"

namespace graft {

std::vector<int64_t> end_tokens(const RequestSpec& spec, const ModelConfig& config) {
  std::vector<int64_t> tokens = spec.stop_tokens;
  if (!spec.ignore_eos) {
    tokens.insert(tokens.end(), config.generation.eos_tokens.begin(), config.generation.eos_tokens.end());
  }
  return tokens;
}

Answer::Answer(RequestState& request, const WorkContext& context, int64_t index)
    : request_(request),
      tokenizer_(context.tokenizer.get()),
      vocabulary_(context.config.output_width),
      end_tokens_(end_tokens(request.spec(), context.config)),
      sampler_(request.spec().sampling, index),
      rules_(request.spec().rules, end_tokens_),
      stop_(request.spec().stop_texts) {
  event_.sequence = index;
  if (tokenizer_ != nullptr) decoder_.emplace(context.tokenizer, /*skip_special=*/true);
}

FinishReason Answer::next(const float* logits, Sequence& sequence) {
  const RequestSpec& spec = request_.spec();
  const auto prompt = static_cast<int64_t>(spec.prompt.size());
  const float* ruled = rules_.apply(logits, vocabulary_, sequence.tokens(), prompt);
  const int64_t token = sampler_.choose(ruled, vocabulary_);
  require(token);
  if (spec.top_logprobs > 0) {
    const double normalizer = log_sum_exp(logits, vocabulary_);
    event_.logprob = static_cast<double>(logits[token]) - normalizer;
    top_logprobs(logits, vocabulary_, spec.top_logprobs, normalizer, event_.top);
  }
  return append(token, sequence);
}

std::optional<kernels::TokenChoice> Answer::choice_on_device() const {
  if (!rules_.idle() || request_.spec().top_logprobs > 0) return std::nullopt;
  return sampler_.on_device();
}

FinishReason Answer::take(int64_t token, Sequence& sequence) {
  require(token);
  sampler_.skip();
  return append(token, sequence);
}

void Answer::require(int64_t token) const {
  if (token >= 0) return;
  fail(StatusCode::invalid_state, "no token can be chosen: every logit is minus infinity or not a number{}",
       rules_.idle() ? "" : " once the request's rules are applied");
}

FinishReason Answer::append(int64_t token, Sequence& sequence) {
  sequence.append(token);
  const auto prompt = static_cast<int64_t>(request_.spec().prompt.size());
  if (publish(token, sequence.length() - prompt)) return FinishReason::stop;
  return sequence.length() >= sequence.planned_length() ? FinishReason::length : FinishReason::none;
}

bool Answer::publish(int64_t token, int64_t completion_tokens) {
  const bool ends = std::ranges::find(end_tokens_, token) != end_tokens_.end();
  event_.kind = EventKind::token;
  event_.token = token;
  event_.completion_tokens = completion_tokens;
  event_.text.clear();
  // A padded vocabulary has ids that the tokenizer lacks; an ending token's text is not part of the answer.
  if (decoder_ && !ends && token < tokenizer_->id_bound()) event_.text = stop_.push(decoder_->push(token));
  request_.push(event_);
  return ends || stop_.found();
}

void Answer::publish_text(std::string_view text) {
  if (text.empty()) return;
  event_.kind = EventKind::text;
  event_.token = -1;
  event_.text = text;
  event_.logprob = 0;
  event_.top.clear();
  request_.push(event_);
}

void Answer::flush() {
  if (!decoder_) return;
  publish_text(stop_.push(decoder_->flush()));
  publish_text(stop_.flush());
}

}  // namespace graft
