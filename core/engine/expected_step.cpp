#include "core/engine/expected_step.h"

#include <algorithm>
#include <cstring>

#include "core/containers/next_tokens.h"
#include "kernels/cpu/select.h"

namespace graft {

ExpectedStep::ExpectedStep(const StepBuffer& step, const CachePool& pool)
    : pool_(pool), step_(step.limits(), pool, step.traits()), packed_(static_cast<size_t>(step_.most_packed_bytes())) {
  rows_.reserve(static_cast<size_t>(step.limits().sequences));
}

void ExpectedStep::follow(const StepBuffer& step) {
  expected_ = false;
  step.pack(packed_.data());
  step_.unpack(packed_.data());
}

void ExpectedStep::go_on(const int32_t* tokens) {
  const kernels::NextStepArgs args = next_step_args(step_.view(), pool_, step_.sequence_count(), tokens);
  kernels::select(kernels::Op::next_step, &args)->run(&args, {});
  expected_ = true;
}

// What the device has of a sequence may be older: blocks that it does not write to yet may have come, and others may
// have fallen out of the window.
bool ExpectedStep::same(const StepView& wanted, int64_t row, int64_t own_row) const {
  const StepView& own = step_.view();
  const auto equal = [&](const int32_t* values, const int32_t* own_values) {
    return values[row] == own_values[own_row];
  };
  if (!equal(wanted.token_ids, own.token_ids) || !equal(wanted.token_types, own.token_types) ||
      !equal(wanted.positions, own.positions) || !equal(wanted.context_lengths, own.context_lengths) ||
      !equal(wanted.planned_lengths, own.planned_lengths)) {
    return false;
  }
  if (std::memcmp(&wanted.choices[row], &own.choices[own_row], sizeof(kernels::TokenChoice)) != 0) return false;
  for (int64_t k = 0; k < pool_.kind_count(); ++k) {
    if (!equal(wanted.caches[k].slots, own.caches[k].slots)) return false;
    const int64_t stride = own.caches[k].block_table_stride, size = pool_.kind(k).block_size;
    const int32_t* blocks = wanted.caches[k].block_table + row * stride;
    const int32_t* own_blocks = own.caches[k].block_table + own_row * stride;
    for (int64_t b = (wanted.context_lengths[row] + size - 1) / size; b > 0; --b) {
      if (blocks[b - 1] >= 0 && blocks[b - 1] != own_blocks[b - 1]) return false;
    }
  }
  return true;
}

bool ExpectedStep::has(const StepBuffer& step) {
  if (!expected_ || step.sequence_count() == 0) return false;
  const int64_t rows = step.sequence_count();
  if (step.token_count() != rows || step.logit_row_count() != rows || step.hidden_row_count() > 0) return false;
  rows_.clear();
  int64_t own_row = 0;
  for (int64_t row = 0; row < rows; ++row, ++own_row) {
    while (own_row < row_count() && !same(step.view(), row, own_row)) ++own_row;
    if (own_row == row_count()) return false;
    rows_.push_back(static_cast<int32_t>(own_row));
  }
  return true;
}

}  // namespace graft
