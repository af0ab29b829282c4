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

/// Dynamic shared memory that a block may ask for on every architecture served: that of sm_80 (sm_90 has 227 KiB).
constexpr int64_t shared_limit = 163 * 1024;

}  // namespace graft::kernels::cuda
