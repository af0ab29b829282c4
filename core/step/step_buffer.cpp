#include "core/step/step_buffer.h"

#include <algorithm>
#include <span>

namespace graft {

StepBuffer::StepBuffer(const StepLimits& limits, const CachePool& pool, const StepTraits& traits)
    : limits_(limits), traits_(traits), kinds_(pool.kind_count()) {
  const auto tokens = static_cast<size_t>(limits.tokens);
  const auto sequences = static_cast<size_t>(limits.sequences);
  token_ids_.resize(tokens);
  token_types_.resize(tokens);
  positions_.resize(tokens);
  sequence_of_.resize(tokens);
  query_starts_.resize(sequences + 1);
  context_lengths_.resize(sequences);
  planned_lengths_.resize(sequences);
  logit_rows_.resize(static_cast<size_t>(limits.logit_rows));
  hidden_rows_.resize(static_cast<size_t>(limits.hidden_rows));
  patches_.resize(tokens * static_cast<size_t>(traits.patch_width));
  view_.stage = traits.stage;
  view_.token_count = &token_count_;
  view_.sequence_count = &sequence_count_;
  view_.logit_row_count = &logit_row_count_;
  view_.hidden_row_count = &hidden_row_count_;
  view_.token_ids = token_ids_.data();
  view_.token_types = token_types_.data();
  view_.positions = positions_.data();
  view_.sequence_of = sequence_of_.data();
  view_.query_starts = query_starts_.data();
  view_.context_lengths = context_lengths_.data();
  view_.planned_lengths = planned_lengths_.data();
  view_.logit_rows = logit_rows_.data();
  view_.hidden_rows = hidden_rows_.data();
  if (traits.patch_width > 0) view_.patches = patches_.data();
  if (traits.has_choices) {
    choices_.resize(static_cast<size_t>(limits.logit_rows));
    view_.choices = choices_.data();
  }
  for (int64_t k = 0; k < kinds_; ++k) {
    const int64_t block_size = pool.kind(k).block_size;
    const int64_t stride = (limits.context + block_size - 1) / block_size;
    block_sizes_[k] = block_size;
    slots_[k].resize(tokens);
    block_tables_[k].resize(sequences * static_cast<size_t>(stride), -1);
    view_.caches[k] = {slots_[k].data(), block_tables_[k].data(), stride};
  }
}

void StepBuffer::clear() {
  ++changes_;
  token_count_ = 0;
  sequence_count_ = 0;
  logit_row_count_ = 0;
  hidden_row_count_ = 0;
  query_starts_[0] = 0;
}

bool StepBuffer::fits(int64_t tokens, int64_t logit_rows, int64_t hidden_rows) const {
  return token_count_ + tokens <= limits_.tokens && sequence_count_ + 1 <= limits_.sequences &&
         logit_row_count_ + logit_rows <= limits_.logit_rows && hidden_row_count_ + hidden_rows <= limits_.hidden_rows;
}

StepBuffer::Place StepBuffer::add_sequence(const int64_t* tokens, const int64_t* token_types, int64_t count,
                                           int64_t first_position, int64_t planned_length, const SequenceBlocks& blocks,
                                           Wanted wanted) {
  const auto wants = [count](Rows rows, int64_t i) {
    return rows == Rows::all || (rows == Rows::first && i == 0) || (rows == Rows::last && i + 1 == count);
  };
  ++changes_;
  const int32_t sequence = sequence_count_++;
  Place place;
  if (wanted.logits != Rows::none) place.logit_row = logit_row_count_;
  if (wanted.hidden != Rows::none) place.hidden_row = hidden_row_count_;
  int64_t position = first_position;
  for (int64_t i = 0; i < count; ++i) {
    const auto t = static_cast<size_t>(token_count_);
    token_ids_[t] = static_cast<int32_t>(tokens[i]);
    token_types_[t] = token_types != nullptr ? static_cast<int32_t>(token_types[i]) : 0;
    positions_[t] = tokens[i] == traits_.unplaced_token ? -1 : static_cast<int32_t>(position++);
    sequence_of_[t] = sequence;
    for (int64_t k = 0; k < kinds_; ++k) slots_[k][t] = blocks.slot(k, first_position + i);
    if (wants(wanted.logits, i)) {
      if (traits_.has_choices) choices_[static_cast<size_t>(logit_row_count_)] = {};
      logit_rows_[static_cast<size_t>(logit_row_count_++)] = token_count_;
    }
    if (wants(wanted.hidden, i)) hidden_rows_[static_cast<size_t>(hidden_row_count_++)] = token_count_;
    ++token_count_;
  }
  const auto s = static_cast<size_t>(sequence);
  query_starts_[s + 1] = token_count_;
  context_lengths_[s] = static_cast<int32_t>(first_position + count);
  planned_lengths_[s] = static_cast<int32_t>(std::max(planned_length, first_position + count));
  for (int64_t k = 0; k < kinds_; ++k) {
    const std::vector<int32_t>& table = blocks.table(k);
    const int64_t stride = view_.caches[k].block_table_stride;
    const int64_t used = std::min<int64_t>(static_cast<int64_t>(table.size()), stride);
    const auto row = block_tables_[k].begin() + static_cast<int64_t>(s) * stride;
    std::copy_n(table.begin(), used, row);
    std::fill(row + used, row + std::max(used, table_entries(k, s)), -1);
  }
  return place;
}

void StepBuffer::choose(int64_t logit_row, const kernels::TokenChoice& choice) {
  ++changes_;
  choices_[static_cast<size_t>(logit_row)] = choice;
}

bool StepBuffer::chooses_all() const {
  if (!traits_.has_choices) return false;
  const std::span rows(choices_.data(), static_cast<size_t>(logit_row_count_));
  return std::ranges::all_of(rows, [](const kernels::TokenChoice& choice) { return choice.wanted != 0; });
}

int64_t StepBuffer::table_entries(int64_t kind, size_t sequence) const {
  const int64_t covered = context_lengths_[sequence] + traits_.tokens_ahead, size = block_sizes_[kind];
  return std::min((covered + size - 1) / size, view_.caches[kind].block_table_stride);
}

int64_t StepBuffer::steps_to_go() const {
  if (token_count_ == 0 || token_count_ != sequence_count_ || token_count_ != logit_row_count_) return 0;
  if (hidden_row_count_ > 0 || traits_.unplaced_token >= 0 || traits_.patch_width > 0 || !chooses_all()) return 0;
  int64_t steps = limits_.context;
  for (size_t s = 0; s < static_cast<size_t>(sequence_count_); ++s) {
    const int64_t length = context_lengths_[s];
    steps = std::clamp<int64_t>(planned_lengths_[s] - 1 - length, 0, steps);  // nothing follows the last token
    for (int64_t k = 0; k < kinds_; ++k) {
      const int64_t size = block_sizes_[k], entries = table_entries(k, s);
      const int32_t* row = block_tables_[k].data() + static_cast<int64_t>(s) * view_.caches[k].block_table_stride;
      int64_t held = (length + size - 1) / size;
      while (held < entries && row[held] >= 0) ++held;
      steps = std::min(steps, held * size - length);
    }
  }
  return steps;
}

void StepBuffer::set_patches(const float* values, int64_t count) {
  std::copy_n(values, count * traits_.patch_width, patches_.begin() + (token_count_ - count) * traits_.patch_width);
}

}  // namespace graft
