#include "core/generation/work/generate_work.h"

#include "core/base/status.h"

namespace graft {
namespace {

constexpr StepBuffer::Wanted nothing{};
constexpr StepBuffer::Wanted last_logits{StepBuffer::Rows::last, StepBuffer::Rows::none};

}  // namespace

GenerateWork::GenerateWork(std::shared_ptr<RequestState> state, const WorkContext& context)
    : Work(std::move(state)), context_(context) {
  const RequestSpec& spec = request().spec();
  const int64_t planned = planned_length(spec, context.limits.context);
  live_.reserve(static_cast<size_t>(spec.sequences));
  live_.push_back({std::make_unique<Sequence>(context.pool, spec.prompt, spec.token_types, planned),
                   std::make_unique<Answer>(request(), context, 0)});
}

bool GenerateWork::add_to(StepBuffer& step) {
  bool added = false;
  for (Branch& branch : live_) {
    const int64_t room = step.limits().tokens - step.token_count();
    branch.in_step = room > 0 && step.fits(1, 1) && branch.sequence->add_to(step, room, nothing, last_logits);
    if (!branch.in_step) continue;
    added = true;
    branch.on_device = false;
    if (!step.traits().has_choices || branch.sequence->place().logit_row < 0) continue;
    // Several answers begin with a choice each from the prompt's one row.
    const auto choice = decoding_ || request().spec().sequences == 1 ? branch.answer->choice_on_device() : std::nullopt;
    if (!choice) continue;
    step.choose(branch.sequence->place().logit_row, *choice);
    branch.on_device = true;
  }
  return added;
}

// The first answer goes on with the prompt's own sequence, which still has no token of its own.
void GenerateWork::fork_answers() {
  decoding_ = true;
  for (int64_t i = 1; i < request().spec().sequences; ++i) {
    std::unique_ptr<Sequence> sequence = live_.front().sequence->fork();
    if (sequence == nullptr) fail(StatusCode::internal, "the cache lacks blocks that were promised to a request");
    live_.push_back({std::move(sequence), std::make_unique<Answer>(request(), context_, i)});
  }
}

bool GenerateWork::take(const StepOutput& output) {
  if (!decoding_) {
    Sequence& prompt = *live_.front().sequence;
    prompt.advance();
    if (prompt.pending() > 0) {
      report_progress(prompt.computed());
      return false;
    }
    const int64_t row = prompt.place().logit_row;
    const bool on_device = live_.front().on_device;
    fork_answers();
    for (size_t i = live_.size(); i > 0; --i) take_token(i - 1, output, row, on_device);
    return live_.empty();
  }
  for (size_t i = live_.size(); i > 0; --i) {
    Branch& branch = live_[i - 1];
    if (!branch.in_step) continue;
    branch.sequence->advance();
    take_token(i - 1, output, branch.sequence->place().logit_row, branch.on_device);
  }
  return live_.empty();
}

void GenerateWork::take_token(size_t index, const StepOutput& output, int64_t row, bool on_device) {
  Branch& branch = live_[index];
  const FinishReason reason =
      on_device ? branch.answer->take(output.tokens[row], *branch.sequence)
                : branch.answer->next(output.logits + row * context_.config.output_width, *branch.sequence);
  if (reason != FinishReason::none) end(index, reason);
}

void GenerateWork::end(size_t index, FinishReason reason) {
  const Branch branch = std::move(live_[index]);
  live_.erase(live_.begin() + static_cast<int64_t>(index));
  branch.answer->flush();
  const int64_t tokens = branch.sequence->length() - static_cast<int64_t>(request().spec().prompt.size());
  if (live_.empty()) {
    request().finish(reason, tokens, branch.answer->index());
  } else {
    request().finish_sequence(branch.answer->index(), reason, tokens);
  }
}

// Answers that never began end too: their holder counts.
void GenerateWork::cancel() {
  if (!decoding_) {
    for (int64_t i = request().spec().sequences - 1; i > 0; --i) {
      request().finish_sequence(i, FinishReason::cancelled, 0);
    }
  }
  while (!live_.empty()) end(live_.size() - 1, FinishReason::cancelled);
}

}  // namespace graft
