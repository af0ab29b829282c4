// What launch plans share. Pure functions of shapes, without a CUDA header: tests call them on any machine, and the
// functions marked GRAFT_BOTH are what kernels themselves call.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define GRAFT_BOTH __host__ __device__ __forceinline__
#else
#define GRAFT_BOTH inline
#endif

namespace graft::kernels::cuda {

GRAFT_BOTH int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }
GRAFT_BOTH int64_t round_up(int64_t value, int64_t to) { return divide_up(value, to) * to; }

/// Division by a number that the host knows, as a product: a kernel's own takes twenty instructions, one after another.
/// For values from 0 to 2^31 - 1 (Granlund and Montgomery 1994).
struct Division {
  int32_t by;
  int32_t shift;
  uint32_t multiplier;  ///< ceil(2^shift / by)

  GRAFT_BOTH int32_t of(int32_t value) const {
    return static_cast<int32_t>(uint64_t{static_cast<uint32_t>(value)} * multiplier >> shift);
  }
};
/// `by` from 1 to 2^30.
inline Division division(int32_t by) {
  int32_t bits = 0;
  while (int64_t{1} << bits < by) ++bits;
  const uint64_t power = uint64_t{1} << (31 + bits), divisor = static_cast<uint32_t>(by);
  return {by, 31 + bits, static_cast<uint32_t>((power + divisor - 1) / divisor)};
}

/// Dynamic shared memory that a block may ask for on every device served: that of capability 8.6, 8.9 and 12.x. Others
/// have 163 KiB (8.0, 8.7) or 227 KiB (9.0, 10.x); a plan that can use them is told how much there is.
constexpr int32_t least_shared_limit = 99 * 1024;

}  // namespace graft::kernels::cuda
