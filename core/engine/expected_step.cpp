#include "core/engine/expected_step.h"

#include <algorithm>
#include <cstring>

#include "core/containers/next_tokens.h"
#include "kernels/cpu/select.h"

namespace graft {

ExpectedStep::ExpectedStep(const StepBuffer& step, const CachePool& pool)
    : pool_(pool), step_(step.limits(), pool, step.traits()), packed_(static_cast<size_t>(step_.most_packed_bytes())) {
  rows_.reserve(static_cast<size_t>(step.limits().sequences));
  taken_.resize(static_cast<size_t>(step.limits().sequences));
}

void ExpectedStep::follow(const StepBuffer& step) {
  forget();
  step.pack(packed_.data());
  step_.unpack(packed_.data());
}

void ExpectedStep::go_on(const int32_t* tokens) {
  const kernels::NextStepArgs args = next_step_args(step_.view(), pool_, step_.sequence_count(), tokens);
  kernels::select(kernels::Op::next_step, &args)->run(&args, {});
  expected_ = true;
  asked_ = -1;
}

// What the device has of a sequence may be older: blocks that it does not write to yet may have come, and others may
// have fallen out of the window.
bool ExpectedStep::is_same(const StepView& wanted, int64_t row, int64_t device_row) const {
  const StepView& device = step_.view();
  const auto equal = [&](const int32_t* values, const int32_t* on_device) {
    return values[row] == on_device[device_row];
  };
  if (!equal(wanted.token_ids, device.token_ids) || !equal(wanted.token_types, device.token_types) ||
      !equal(wanted.positions, device.positions) || !equal(wanted.context_lengths, device.context_lengths) ||
      !equal(wanted.planned_lengths, device.planned_lengths)) {
    return false;
  }
  if (std::memcmp(&wanted.choices[row], &device.choices[device_row], sizeof(kernels::TokenChoice)) != 0) return false;
  for (int64_t k = 0; k < pool_.kind_count(); ++k) {
    if (!equal(wanted.caches[k].slots, device.caches[k].slots)) return false;
    const int64_t stride = device.caches[k].block_table_stride, size = pool_.kind(k).block_size;
    const int32_t* blocks = wanted.caches[k].block_table + row * stride;
    const int32_t* on_device = device.caches[k].block_table + device_row * stride;
    for (int64_t b = (wanted.context_lengths[row] + size - 1) / size; b > 0; --b) {
      if (blocks[b - 1] >= 0 && blocks[b - 1] != on_device[b - 1]) return false;
    }
  }
  return true;
}

bool ExpectedStep::has(const StepBuffer& step) {
  if (!expected_) return false;
  if (asked_ != step.changes()) answer_ = look_for(step);
  asked_ = step.changes();
  return answer_;
}

// Rows are in the same order but where a prompt of one token came to stand among the others, so each is looked for
// behind the one before it.
bool ExpectedStep::look_for(const StepBuffer& step) {
  const int64_t rows = step.sequence_count();
  if (rows == 0 || rows > row_count()) return false;
  if (step.token_count() != rows || step.logit_row_count() != rows || step.hidden_row_count() > 0) return false;
  rows_.clear();
  std::fill_n(taken_.begin(), row_count(), 0);
  int64_t next = 0;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t tried = 0;
    const auto is_it = [&] { return taken_[static_cast<size_t>(next)] == 0 && is_same(step.view(), row, next); };
    for (; tried < row_count() && !is_it(); ++tried) next = (next + 1) % row_count();
    if (tried == row_count()) return false;
    taken_[static_cast<size_t>(next)] = 1;
    rows_.push_back(static_cast<int32_t>(next));
    next = (next + 1) % row_count();
  }
  return true;
}

}  // namespace graft
