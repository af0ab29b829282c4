#include "core/generation/sequence.h"

#include <algorithm>

namespace graft {

Sequence::Sequence(std::shared_ptr<RequestState> request, CachePool& pool, int64_t planned_length, int64_t vocabulary,
                   const std::shared_ptr<const Tokenizer>& tokenizer)
    : request_(std::move(request)),
      blocks_(pool),
      planned_length_(planned_length),
      vocabulary_(vocabulary),
      tokens_(request_->spec().prompt),
      sampler_(request_->spec().sampling),
      tokenizer_(tokenizer) {
  tokens_.reserve(static_cast<size_t>(planned_length));
  if (request_->spec().kind == RequestKind::logits) {
    rows_ = std::make_shared<ResultTensor>();
    rows_->rows = static_cast<int64_t>(tokens_.size());
    rows_->columns = vocabulary;
    rows_->values.resize(tokens_.size() * static_cast<size_t>(vocabulary));
  } else if (tokenizer_) {
    decoder_.emplace(tokenizer_, /*skip_special=*/true);
  }
}

bool Sequence::add_to(StepBuffer& step, int64_t most) {
  const int64_t count = std::min(pending(), most);
  blocks_.drop_before(computed_);
  if (!blocks_.grow(computed_ + count)) return false;
  const bool all_rows = request_->spec().kind == RequestKind::logits;
  const bool last_chunk = count == pending();
  const auto wanted = all_rows ? StepBuffer::Rows::all : last_chunk ? StepBuffer::Rows::last : StepBuffer::Rows::none;
  first_logit_row_ =
      step.add_sequence(tokens_.data() + computed_, nullptr, count, computed_, planned_length_, blocks_, {wanted})
          .logit_row;
  in_step_ = count;
  return true;
}

FinishReason Sequence::take(const float* logits, const std::vector<int64_t>& end_tokens) {
  const int64_t prompt_size = static_cast<int64_t>(request_->spec().prompt.size());
  if (request_->spec().kind == RequestKind::logits) take_rows(logits + first_logit_row_ * vocabulary_);
  computed_ += in_step_;
  in_step_ = 0;
  if (computed_ < prompt_size) {
    event_.kind = EventKind::progress;
    event_.token = -1;
    event_.text.clear();
    event_.progress = static_cast<double>(computed_) / static_cast<double>(prompt_size);
    request_->push(event_);
    return FinishReason::none;
  }
  if (request_->spec().kind == RequestKind::logits) {
    request_->set_result(std::move(rows_));
    return FinishReason::stop;
  }
  return take_token(logits + first_logit_row_ * vocabulary_, end_tokens);
}

void Sequence::take_rows(const float* rows) {
  std::copy_n(rows, in_step_ * vocabulary_, rows_->values.begin() + computed_ * vocabulary_);
}

FinishReason Sequence::take_token(const float* row, const std::vector<int64_t>& end_tokens) {
  const RequestSpec& spec = request_->spec();
  const int64_t token = sampler_.choose(row, vocabulary_);
  tokens_.push_back(token);
  const bool ends = !spec.ignore_eos && std::ranges::find(end_tokens, token) != end_tokens.end();
  const bool stops = std::ranges::find(spec.stop_tokens, token) != spec.stop_tokens.end();
  event_.kind = EventKind::token;
  event_.token = token;
  event_.completion_tokens = generated();
  event_.text.clear();
  // A padded vocabulary has ids that the tokenizer lacks; an ending token's text is not part of the answer.
  if (decoder_ && !ends && !stops && token < tokenizer_->id_bound()) event_.text = decoder_->push(token);
  request_->push(event_);
  if (ends || stops) return FinishReason::stop;
  return static_cast<int64_t>(tokens_.size()) >= planned_length_ ? FinishReason::length : FinishReason::none;
}

void Sequence::publish_text(std::string_view text) {
  if (text.empty()) return;
  event_.kind = EventKind::text;
  event_.token = -1;
  event_.text = text;
  request_->push(event_);
}

void Sequence::finish(FinishReason reason) {
  if (decoder_) publish_text(decoder_->flush());
  request_->finish(reason, generated());
}

}  // namespace graft
