// The end of a step on a device: the tokens that follow it, and its arrays made those of the step after it.
#pragma once

#include "core/containers/op_list.h"
#include "core/step/cache_pool.h"
#include "core/step/step_view.h"
#include "kernels/spec/next_step.h"

namespace graft {

/// Whether a device has the kernels for that. `select` is the device's.
bool can_choose_tokens(const KernelSelector& select, int64_t vocabulary);

/// Appends the choice of a token for each of up to `capacity` rows of logits [capacity, vocabulary]. Returns where the
/// tokens will be: [capacity], -1 where the step asks for none. `step` has choices.
int32_t* record_choice(OpList& ops, const StepView& step, int64_t capacity, const float* logits, int64_t vocabulary);

/// What makes of a step the one after it, for up to `capacity` sequences. It changes the arrays of `step`, which must
/// be the caller's to change: those of a StepMirror, or of a StepBuffer of its own.
kernels::NextStepArgs next_step_args(const StepView& step, const CachePool& pool, int64_t capacity,
                                     const int32_t* tokens);

}  // namespace graft
