#include "core/generation/work/beam_work.h"

#include <algorithm>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr StepBuffer::Wanted nothing{};
constexpr StepBuffer::Wanted last_logits{StepBuffer::Rows::last, StepBuffer::Rows::none};

int64_t most_tokens(const RequestSpec& spec, int64_t context) {
  return planned_length(spec, context) - static_cast<int64_t>(spec.prompt.size());
}

}  // namespace

BeamWork::BeamWork(std::shared_ptr<RequestState> state, const WorkContext& context)
    : Work(std::move(state)),
      context_(context),
      end_tokens_(end_tokens(request().spec(), context.config)),
      search_(request().spec().beams, request().spec().length_penalty, end_tokens_,
              most_tokens(request().spec(), context.limits.context)) {
  const RequestSpec& spec = request().spec();
  beams_.push_back(make_beam(std::make_unique<Sequence>(context.pool, spec.prompt, spec.token_types,
                                                        planned_length(spec, context.limits.context))));
}

BeamWork::Beam BeamWork::make_beam(std::unique_ptr<Sequence> sequence) {
  return {std::move(sequence), std::make_unique<LogitProcessor>(request().spec().rules, end_tokens_), {}};
}

// All beams or none: they are compared with each other.
bool BeamWork::add_to(StepBuffer& step) {
  const auto count = static_cast<int64_t>(beams_.size());
  if (!step.fits(count, count)) return false;
  for (Beam& beam : beams_) {
    const int64_t room = step.limits().tokens - step.token_count();
    if (!beam.sequence->add_to(step, room, nothing, last_logits)) {
      fail(StatusCode::internal, "the cache lacks blocks that were promised to a request");
    }
  }
  return true;
}

bool BeamWork::take(const StepOutput& output) {
  for (Beam& beam : beams_) beam.sequence->advance();
  if (beams_.front().sequence->pending() > 0) {
    report_progress(beams_.front().sequence->computed());
    return false;
  }
  decoding_ = true;
  compute_logprobs(output);
  std::vector<const float*> rows;
  for (const Beam& beam : beams_) rows.push_back(beam.logprobs.data());
  const std::span<const BeamSearch::Continuation> next = search_.step(rows, context_.config.output_width);
  if (next.empty()) {
    publish();
    return true;
  }
  follow(next);
  return false;
}

void BeamWork::compute_logprobs(const StepOutput& output) {
  const int64_t vocabulary = context_.config.output_width;
  const auto prompt = static_cast<int64_t>(request().spec().prompt.size());
  for (Beam& beam : beams_) {
    const float* logits = output.logits + beam.sequence->place().logit_row * vocabulary;
    const double normalizer = log_sum_exp(logits, vocabulary);
    beam.logprobs.resize(static_cast<size_t>(vocabulary));
    for (int64_t i = 0; i < vocabulary; ++i) {
      beam.logprobs[static_cast<size_t>(i)] = static_cast<float>(static_cast<double>(logits[i]) - normalizer);
    }
    const float* ruled = beam.rules->apply(beam.logprobs.data(), vocabulary, beam.sequence->tokens(), prompt);
    if (ruled != beam.logprobs.data()) std::copy_n(ruled, vocabulary, beam.logprobs.begin());
  }
}

// The last child of a beam takes its sequence over, the others get forks of it.
void BeamWork::follow(std::span<const BeamSearch::Continuation> continuations) {
  std::vector<int64_t> children(beams_.size(), 0);
  for (const BeamSearch::Continuation& next : continuations) ++children[static_cast<size_t>(next.parent)];
  std::vector<Beam> next_beams;
  for (const BeamSearch::Continuation& next : continuations) {
    Beam& parent = beams_[static_cast<size_t>(next.parent)];
    if (--children[static_cast<size_t>(next.parent)] == 0) {
      next_beams.push_back(std::move(parent));
    } else {
      std::unique_ptr<Sequence> sequence = parent.sequence->fork();
      if (sequence == nullptr) fail(StatusCode::internal, "the cache lacks blocks that were promised to a request");
      next_beams.push_back(make_beam(std::move(sequence)));
    }
  }
  for (size_t i = 0; i < next_beams.size(); ++i) next_beams[i].sequence->append(continuations[i].token);
  beams_ = std::move(next_beams);
}

void BeamWork::publish() {
  const auto wanted = request().spec().sequences;
  const auto& finished = search_.finished();
  const int64_t count = std::min<int64_t>(wanted, static_cast<int64_t>(finished.size()));
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<int64_t>& tokens = finished[static_cast<size_t>(i)].tokens;
    Answer answer(request(), context_, i);
    bool ended = false;
    for (size_t t = 0; t < tokens.size(); ++t) ended = answer.publish(tokens[t], static_cast<int64_t>(t) + 1);
    answer.flush();
    const FinishReason reason = ended ? FinishReason::stop : FinishReason::length;
    const auto length = static_cast<int64_t>(tokens.size());
    if (i + 1 < count) {
      request().finish_sequence(i, reason, length);
    } else {
      request().finish(reason, length, i);
    }
  }
  if (count == 0) request().fail(StatusCode::invalid_state, "beam search: the rules leave no token to choose");
}

void BeamWork::cancel() {
  for (int64_t i = request().spec().sequences - 1; i > 0; --i) {
    request().finish_sequence(i, FinishReason::cancelled, 0);
  }
  request().finish(FinishReason::cancelled, 0);
}

}  // namespace graft
