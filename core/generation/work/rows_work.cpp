#include "core/generation/work/rows_work.h"

#include <algorithm>
#include <cmath>

namespace graft {
namespace {

// Whether the answer is the head's rows and not hidden ones.
bool wants_head(const RequestSpec& spec, const ModelConfig& config) {
  const bool own_embedding =
      spec.kind == RequestKind::embed && spec.pooling == Pooling::token && config.head.kind == HeadKind::embedding;
  return spec.kind == RequestKind::logits || own_embedding;
}

// A sequence classifier and an embedding's head read at the first token.
StepBuffer::Rows wanted_rows(const RequestSpec& spec, const ModelConfig& config) {
  const bool first = config.head.kind == HeadKind::sequence_labels || config.head.kind == HeadKind::embedding;
  return first && wants_head(spec, config) ? StepBuffer::Rows::first : StepBuffer::Rows::all;
}

// check_request has found the token.
int64_t token_row(const RequestSpec& spec, const ModelConfig& config) {
  return config.pooled_token ? pooled_row(spec.prompt, *config.pooled_token).value_or(0) : 0;
}

const char* result_name(RequestKind kind) {
  switch (kind) {
    case RequestKind::logits:
      return "logits";
    case RequestKind::hidden:
      return "hidden";
    default:
      return "embedding";
  }
}

}  // namespace

RowsWork::RowsWork(std::shared_ptr<RequestState> state, const WorkContext& context)
    : Work(std::move(state)),
      context_(context),
      request_kind_(request().spec().kind),
      sequence_(context.pool, request().spec().prompt, request().spec().token_types,
                planned_length(request().spec(), context.limits.context)),
      wants_head_(wants_head(request().spec(), context.config)),
      rows_(wanted_rows(request().spec(), context.config)),
      columns_(wants_head_ ? context.config.output_width : context.config.hidden_width()),
      result_(std::make_shared<ResultTensor>()) {
  result_->name = result_name(request_kind_);
  if (request_kind_ == RequestKind::embed && request().spec().pooling != Pooling::none) {
    pooler_ = std::make_unique<Pooler>(request().spec().pooling, columns_, token_row(request().spec(), context.config));
    return;
  }
  const int64_t rows = rows_ == StepBuffer::Rows::all ? sequence_.length() : 1;
  result_->shape = {rows, columns_};
  result_->values.resize(static_cast<size_t>(rows * columns_));
}

bool RowsWork::add_to(StepBuffer& step) {
  const StepLimits& limits = step.limits();
  int64_t room = limits.tokens - step.token_count();
  StepBuffer::Wanted wanted;
  if (wants_head_) {
    wanted.logits = rows_;
    const int64_t rows = limits.logit_rows - step.logit_row_count();
    room = rows_ == StepBuffer::Rows::all ? std::min(room, rows) : rows > 0 ? room : 0;
  } else {
    wanted.hidden = rows_;
    room = std::min(room, limits.hidden_rows - step.hidden_row_count());
  }
  // Nothing of an encoder's input is kept for another step.
  if (context_.config.encoder && room < sequence_.pending()) return false;
  if (room <= 0 || step.sequence_count() >= limits.sequences || !sequence_.add_to(step, room, wanted, wanted)) {
    return false;
  }
  if (context_.config.image) step.set_patches(request().spec().patches.data(), sequence_.in_step());
  return true;
}

bool RowsWork::take(const StepOutput& output) {
  const StepBuffer::Place& place = sequence_.place();
  const float* rows =
      wants_head_ ? output.logits + place.logit_row * columns_ : output.hidden + place.hidden_row * columns_;
  take_rows(rows, rows_ == StepBuffer::Rows::all ? sequence_.in_step() : 1);
  sequence_.advance();
  if (sequence_.pending() > 0) {
    report_progress(sequence_.computed());
    return false;
  }
  publish();
  return true;
}

void RowsWork::take_rows(const float* rows, int64_t count) {
  if (pooler_) {
    pooler_->add(rows, count);
    return;
  }
  std::copy_n(rows, count * columns_, result_->values.begin() + taken_ * columns_);
  taken_ += count;
}

void RowsWork::publish() {
  if (pooler_) {
    result_->shape = {columns_};
    result_->values = pooler_->result();
    if (request().spec().normalize) normalize(result_->values);
  }
  if (context_.config.head.kind == HeadKind::sequence_labels && wants_head_) publish_scores();
  request().add_result(std::move(result_));
  request().finish(FinishReason::stop, 0);
}

// As Transformers' text-classification pipeline: independent labels, or one label by itself, through the logistic
// function, labels that exclude each other through softmax.
void RowsWork::publish_scores() {
  auto scores = std::make_shared<ResultTensor>();
  scores->name = "scores";
  scores->shape = {columns_};
  const std::vector<float>& logits = result_->values;
  if (context_.config.head.multi_label || columns_ == 1) {
    for (float logit : logits) scores->values.push_back(1.0f / (1.0f + std::exp(-logit)));
  } else {
    const double normalizer = log_sum_exp(logits.data(), columns_);
    for (float logit : logits) {
      scores->values.push_back(static_cast<float>(std::exp(static_cast<double>(logit) - normalizer)));
    }
  }
  request().add_result(std::move(scores));
}

}  // namespace graft
