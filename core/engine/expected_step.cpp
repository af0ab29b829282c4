#include "core/engine/expected_step.h"

#include <cstring>

#include "core/containers/next_tokens.h"
#include "kernels/cpu/select.h"

namespace graft {

ExpectedStep::ExpectedStep(const StepBuffer& step, const CachePool& pool)
    : pool_(pool),
      step_(step.limits(), pool, step.traits()),
      expected_(static_cast<size_t>(step_.most_packed_bytes())),
      other_(expected_.size()) {}

void ExpectedStep::expect_after(const StepBuffer& step, const int32_t* tokens) {
  step.pack(expected_.data());
  step_.unpack(expected_.data());
  const kernels::NextStepArgs args = next_step_args(step_.view(), pool_, step_.sequence_count(), tokens);
  kernels::select(kernels::Op::next_step, &args)->run(&args, {});
  step_.pack(expected_.data());
  bytes_ = step_.packed_bytes();
}

bool ExpectedStep::is(const StepBuffer& step) {
  if (bytes_ == 0 || step.packed_bytes() != bytes_) return false;
  step.pack(other_.data());
  return std::memcmp(expected_.data(), other_.data(), static_cast<size_t>(bytes_)) == 0;
}

}  // namespace graft
