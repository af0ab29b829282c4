// A grid of CUDA threads on the CPU: blocks one after another, the threads of a block as fibers of the calling thread.
// Made to find mistakes, not to be fast. It reports: barriers and warp operations that not all named threads reach, or
// reach in different lines; misaligned vector accesses; writes beyond dynamic shared memory. Shared memory is poisoned
// with NaN at the start of a block, asynchronous copies
// poison their place when they are asked for and happen at their wait, and threads run in an
// order that a test chooses, so that a missing barrier or wait shows in the results. Any thread; launches of different
// threads share nothing but what cudaFuncSetAttribute has set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

namespace emulated {

struct Index {
  unsigned x, y, z;
};

/// In which order the threads of a block run between two barriers.
enum class Order { forward, reverse, shuffled };

/// Whether the process has cuBLASLt (cublas_lt.cpp), and whether that knows how to do anything.
enum class CublasLt { absent, without_algorithms, there };

/// What the emulated device says about itself; of the calling thread.
struct Device {
  int multiprocessors = 3;
  int capability_major = 9;
  int capability_minor = 0;
  size_t shared_bytes_per_block = 232448;  ///< the opt-in limit: 166912 on sm_80
  Order order = Order::forward;
  CublasLt cublas_lt = CublasLt::absent;
  int algorithms_asked = 0;  ///< of cuBLASLt, so far
};
Device& device();

/// The first failure on the calling thread since the last call, in words; empty when there was none. Clears it.
std::string take_failure();

/// The most shared memory that launches of `kernel` may ask for from now on, by any thread: 48 KiB until it is set.
/// False when the device has not as much.
bool allow_shared(const void* kernel, size_t bytes);
/// Whether a launch of `kernel` may ask for so much; a failure otherwise.
bool may_have_shared(const void* kernel, size_t bytes);

/// Runs body(context) once for every thread of the grid. False when a block failed: take_failure() says how.
bool run_grid(Index grid, Index block, size_t shared_bytes, void (*body)(void*), void* context);

// --- for the stand-ins of the CUDA headers; all called by threads of a grid ------------------------------------------

using Site = std::source_location;

/// Ends the launch. The calling thread's frames are abandoned, so nothing in them may own memory.
[[noreturn]] void fail(const char* what, const Site& where);
void check_aligned(const void* address, size_t bytes, const Site& where);

void* shared_memory();
size_t shared_memory_bytes();
unsigned lane();
void meet_block(const Site& where);

/// Waits for all lanes of `mask`; the last to come calls combine(operands), which holds what each lane has given
/// (null for lanes outside the mask) and may write to all of it.
void meet_warp(unsigned mask, void* operand, void (*combine)(void* const* operands), const Site& where);

/// Queues a copy to shared memory of `source_bytes` bytes and zeros up to `bytes`; done by the wait.
void copy_async(void* to, const void* from, unsigned bytes, unsigned source_bytes, const Site& where);
void copy_async_commit();
/// Does all but the newest `most_open` groups.
void copy_async_wait(unsigned most_open);

}  // namespace emulated
