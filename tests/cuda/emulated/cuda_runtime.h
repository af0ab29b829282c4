// Stands in for the CUDA runtime's header where kernels are compiled by the host's compiler: the part of the language
// and of the runtime that kernels/cuda uses. `__shared__` variables are not among it: kernels take all shared memory
// from dynamic_shared(), which is poisoned here.
#pragma once

#include <math.h>
#include <string.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "tests/cuda/emulated/emulation.h"
#include "tests/cuda/emulated/vector_types.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define CUDART_INF_F __builtin_inff()

extern thread_local uint3 threadIdx, blockIdx;
extern thread_local dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

// --- the runtime -----------------------------------------------------------------------------------------------------

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorLaunchFailure = 719 };
struct CUstream_st;
using cudaStream_t = CUstream_st*;
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaLaunchAttributeID { cudaLaunchAttributeProgrammaticStreamSerialization = 6 };
union cudaLaunchAttributeValue {
  int programmaticStreamSerializationAllowed;
};
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  cudaLaunchAttributeValue val;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

inline cudaError_t cudaGetDevice(int* out) { return *out = 0, cudaSuccess; }
inline cudaError_t cudaDeviceGetAttribute(int* out, cudaDeviceAttr attribute, int) {
  const emulated::Device& device = emulated::device();
  if (attribute == cudaDevAttrMultiProcessorCount) *out = device.multiprocessors;
  if (attribute == cudaDevAttrComputeCapabilityMajor) *out = device.capability_major;
  if (attribute == cudaDevAttrComputeCapabilityMinor) *out = device.capability_minor;
  if (attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin) *out = static_cast<int>(device.shared_bytes_per_block);
  return cudaSuccess;
}
template <class Function>
cudaError_t cudaFuncSetAttribute(Function* kernel, cudaFuncAttribute, int bytes) {
  const bool good = emulated::allow_shared(reinterpret_cast<void*>(kernel), static_cast<size_t>(bytes));
  return good ? cudaSuccess : cudaErrorInvalidValue;
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Arguments&&... given) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<std::decay_t<Parameters>...> arguments;
  } call{kernel, {std::forward<Arguments>(given)...}};
  const auto body = [](void* context) {
    auto& mine = *static_cast<Call*>(context);
    std::apply(mine.kernel, mine.arguments);
  };
  const dim3 grid = config->gridDim, block = config->blockDim;
  if (!emulated::may_have_shared(reinterpret_cast<void*>(kernel), config->dynamicSmemBytes)) {
    return cudaErrorInvalidValue;
  }
  const bool good =
      emulated::run_grid({grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, config->dynamicSmemBytes, body, &call);
  return good ? cudaSuccess : cudaErrorLaunchFailure;
}

// --- barriers and warps ----------------------------------------------------------------------------------------------

inline void __syncthreads(const emulated::Site& where = emulated::Site::current()) { emulated::meet_block(where); }
inline void __syncwarp(unsigned mask = 0xffffffffu, const emulated::Site& where = emulated::Site::current()) {
  emulated::meet_warp(
      mask, nullptr, [](void* const*) {}, where);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

namespace emulated {

template <class T>
struct Shuffle {
  T value, result;
  unsigned from;  // lane to read
};

template <class T>
T shuffle(unsigned mask, T value, unsigned from, const Site& where) {
  Shuffle<T> mine{value, value, from};
  const auto combine = [](void* const* operands) {
    for (int i = 0; i < 32; ++i) {
      if (operands[i] == nullptr) continue;
      auto& to = *static_cast<Shuffle<T>*>(operands[i]);
      const auto* source = static_cast<const Shuffle<T>*>(operands[to.from & 31u]);
      if (source != nullptr) {
        to.result = source->value;
      } else {
        memset(&to.result, 0xff, sizeof(T));  // a lane outside the mask: undefined
      }
    }
  };
  meet_warp(mask, &mine, combine, where);
  return mine.result;
}

/// Every lane gets `among(its value, the values of all)`.
template <class T, unsigned (*among)(T own, const T* values, unsigned given)>
unsigned look_at_all(unsigned mask, T value, const Site& where) {
  struct Operand {
    T value;
    unsigned result;
  } mine{value, 0};
  const auto combine = [](void* const* operands) {
    T values[32] = {};
    unsigned given = 0;
    for (int i = 0; i < 32; ++i) {
      if (operands[i] == nullptr) continue;
      values[i] = static_cast<const Operand*>(operands[i])->value;
      given |= 1u << i;
    }
    for (int i = 0; i < 32; ++i) {
      if (operands[i] != nullptr) static_cast<Operand*>(operands[i])->result = among(values[i], values, given);
    }
  };
  meet_warp(mask, &mine, combine, where);
  return mine.result;
}

template <class T>
unsigned equals(T own, const T* values, unsigned given) {
  unsigned result = 0;
  for (unsigned i = 0; i < 32; ++i) result |= (given >> i & 1u) != 0 && values[i] == own ? 1u << i : 0u;
  return result;
}
inline unsigned largest(unsigned own, const unsigned* values, unsigned given) {
  for (unsigned i = 0; i < 32; ++i) own = (given >> i & 1u) != 0 ? std::max(own, values[i]) : own;
  return own;
}
inline unsigned smallest(unsigned own, const unsigned* values, unsigned given) {
  for (unsigned i = 0; i < 32; ++i) own = (given >> i & 1u) != 0 ? std::min(own, values[i]) : own;
  return own;
}

struct Vote {
  bool value;
  unsigned result;
};

inline unsigned ballot(unsigned mask, bool value, const Site& where) {
  Vote mine{value, 0};
  const auto combine = [](void* const* operands) {
    unsigned result = 0;
    for (int i = 0; i < 32; ++i) {
      if (operands[i] != nullptr && static_cast<const Vote*>(operands[i])->value) result |= 1u << i;
    }
    for (int i = 0; i < 32; ++i) {
      if (operands[i] != nullptr) static_cast<Vote*>(operands[i])->result = result;
    }
  };
  meet_warp(mask, &mine, combine, where);
  return mine.result;
}

}  // namespace emulated

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, emulated::Site where = emulated::Site::current()) {
  const unsigned base = emulated::lane() & ~static_cast<unsigned>(width - 1);
  return emulated::shuffle(mask, value, base + (static_cast<unsigned>(lane) & static_cast<unsigned>(width - 1)), where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, emulated::Site where = emulated::Site::current()) {
  const unsigned lane = emulated::lane(), from = lane ^ static_cast<unsigned>(bits);
  const unsigned segment = static_cast<unsigned>(width);
  return emulated::shuffle(mask, value, from / segment > lane / segment ? lane : from, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32,
                   emulated::Site where = emulated::Site::current()) {
  const unsigned lane = emulated::lane(), from = lane + by, segment = static_cast<unsigned>(width);
  return emulated::shuffle(mask, value, from / segment != lane / segment ? lane : from, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32,
                 emulated::Site where = emulated::Site::current()) {
  const unsigned lane = emulated::lane(), segment = static_cast<unsigned>(width);
  return emulated::shuffle(mask, value, lane % segment < by ? lane : lane - by, where);
}
inline unsigned __ballot_sync(unsigned mask, int value, emulated::Site where = emulated::Site::current()) {
  return emulated::ballot(mask, value != 0, where);
}
inline int __any_sync(unsigned mask, int value, emulated::Site where = emulated::Site::current()) {
  return emulated::ballot(mask, value != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int value, emulated::Site where = emulated::Site::current()) {
  return emulated::ballot(mask, value == 0, where) == 0;
}

template <class T>
unsigned __match_any_sync(unsigned mask, T value, emulated::Site where = emulated::Site::current()) {
  return emulated::look_at_all<T, emulated::equals<T>>(mask, value, where);
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value, emulated::Site where = emulated::Site::current()) {
  return emulated::look_at_all<unsigned, emulated::largest>(mask, value, where);
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value, emulated::Site where = emulated::Site::current()) {
  return emulated::look_at_all<unsigned, emulated::smallest>(mask, value, where);
}

// --- atomics: threads are fibers, nothing happens at the same time ---------------------------------------------------

template <class T>
T atomicAdd(T* address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}
template <class T>
T atomicMax(T* address, T value) {
  const T old = *address;
  *address = std::max(old, value);
  return old;
}
template <class T>
T atomicExch(T* address, T value) {
  return std::exchange(*address, value);
}

// --- arithmetic ------------------------------------------------------------------------------------------------------

using std::max;
using std::min;

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __int_as_float(int bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
inline float __uint_as_float(unsigned bits) { return __int_as_float(static_cast<int>(bits)); }
inline int __float_as_int(float value) {
  int bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline unsigned __float_as_uint(float value) { return static_cast<unsigned>(__float_as_int(value)); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits)); }
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const uint64_t bytes = static_cast<uint64_t>(y) << 32 | x;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned pick = selector >> (4 * i) & 15u;
    auto byte = static_cast<unsigned>(bytes >> (8 * (pick & 7u)) & 0xffu);
    if ((pick & 8u) != 0) byte = (byte & 0x80u) != 0 ? 0xffu : 0u;
    result |= byte << (8 * i);
  }
  return result;
}
