// What goes wrong, or what a host does, for the tests of what the plug-in makes of it.
#pragma once

namespace graft::kernels::testing {

/// A launch that the runtime refuses: more threads than a block may have.
void launch_too_many_threads(void* stream);

/// A kernel that writes to an address that is nobody's.
void launch_illegal_write(void* stream);

/// Begins a capture as a host does, in CUDA's default mode. Fails the test where it cannot.
void begin_global_capture(void* stream);

}  // namespace graft::kernels::testing
