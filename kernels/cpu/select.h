// Which variant of an op serves a call: chosen from what the machine can run, once per call site (never per step).
#pragma once

#include "kernels/spec/variant.h"

namespace graft::kernels {

/// Whether the processor and the operating system run code of this instruction set. Any thread.
bool machine_has(Isa isa);

/// The variant of the highest instruction set that the machine has, that GRAFT_KERNELS allows and that accepts `args`;
/// null when there is none. Depends on types, strides and the stated capacity only. Any thread.
///
/// The environment variable GRAFT_KERNELS (reference, baseline, avx2 or avx512) names the highest instruction set
/// allowed. It is read at the first call in the process and never again.
const Variant* select(Op op, const void* args);

/// The value of GRAFT_KERNELS when it was set to something unknown and therefore ignored, else null. Static text.
const char* forced_isa_problem();

}  // namespace graft::kernels
