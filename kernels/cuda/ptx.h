// Every instruction that CUDA C++ has no name for, as a small device function: the only place of inline assembly.
// tests/cuda/emulated/kernels/cuda/ptx.h gives the same functions to the emulation; both change together.
// Names of instructions and the layouts of fragments are those of the PTX ISA manual.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace graft::kernels::cuda {

/// The dynamic shared memory of the block, 128-byte aligned. All shared memory comes from here: a kernel lays a struct
/// of its own over it, whose size is what the launch asks for.
__device__ __forceinline__ void* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char graft_dynamic_shared[];
  return graft_dynamic_shared;
}

// --- loads
// -------------------------------------------------------------------------------------------------------------

/// A load of what is read once: not kept in L1, so that activations stay there. The memory must not change during the
/// kernel. Aligned to 16 bytes.
__device__ __forceinline__ uint4 load_once_16(const void* address) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(address));
  return v;
}

/// Brings what lies there to L2, for a load that comes later. Global memory that the kernel may read.
__device__ __forceinline__ void prefetch(const void* address) {
  asm volatile("prefetch.global.L2 [%0];" : : "l"(address));
}

/// Plain loads and stores, aligned to their size, of global or shared memory.
__device__ __forceinline__ float4 load_float4(const float* address) {
  return *reinterpret_cast<const float4*>(address);
}
__device__ __forceinline__ float2 load_float2(const float* address) {
  return *reinterpret_cast<const float2*>(address);
}
__device__ __forceinline__ uint4 load_16(const void* address) { return *static_cast<const uint4*>(address); }
__device__ __forceinline__ uint2 load_8(const void* address) { return *static_cast<const uint2*>(address); }
__device__ __forceinline__ uint32_t load_4(const void* address) { return *static_cast<const uint32_t*>(address); }
__device__ __forceinline__ void store_float4(float* address, float4 value) {
  *reinterpret_cast<float4*>(address) = value;
}
__device__ __forceinline__ void store_float2(float* address, float2 value) {
  *reinterpret_cast<float2*>(address) = value;
}
__device__ __forceinline__ void store_16(void* address, uint4 value) { *static_cast<uint4*>(address) = value; }
__device__ __forceinline__ void store_8(void* address, uint2 value) { *static_cast<uint2*>(address) = value; }
__device__ __forceinline__ void store_4(void* address, uint32_t value) { *static_cast<uint32_t*>(address) = value; }

// --- memory that several devices write to
// -----------------------------------------------------------------------------------

/// Two values of 8 bytes, each of which is written and read whole.
struct WordPair {
  uint64_t first, second;
};
/// Past every cache that other devices do not see, in no order with other accesses. Aligned to 16 bytes.
__device__ __forceinline__ void store_shared_words(void* address, WordPair words) {
  asm volatile("st.relaxed.sys.global.v2.u64 [%0], {%1, %2};"
               :
               : "l"(address), "l"(words.first), "l"(words.second)
               : "memory");
}
__device__ __forceinline__ WordPair load_shared_words(const void* address) {
  WordPair words;
  asm volatile("ld.relaxed.sys.global.v2.u64 {%0, %1}, [%2];"
               : "=l"(words.first), "=l"(words.second)
               : "l"(address)
               : "memory");
  return words;
}
/// Also of host memory, while the host writes to it.
__device__ __forceinline__ uint32_t load_shared_4(const void* address) {
  uint32_t value;
  asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(address) : "memory");
  return value;
}
/// Looks at words that others write, for one at the host's memory, which is far.
constexpr int looks_at_words = 64;
/// Between two of them.
__device__ __forceinline__ void pause_between_looks() {}

// --- asynchronous copies to shared memory
// --------------------------------------------------------------------------------

__device__ __forceinline__ uint32_t shared_address(const void* address) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(address));
}

/// Copies source_bytes (0 to 16) bytes of global memory and fills up to 16 with zeros; both addresses 16-byte aligned,
/// also when nothing is read. Through L2 only.
__device__ __forceinline__ void copy_async_16(void* to_shared, const void* from, uint32_t source_bytes = 16) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
               :
               : "r"(shared_address(to_shared)), "l"(from), "r"(source_bytes)
               : "memory");
}
/// The same for 4 bytes, or with source_bytes 0 a zero.
__device__ __forceinline__ void copy_async_4(void* to_shared, const void* from, uint32_t source_bytes = 4) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
               :
               : "r"(shared_address(to_shared)), "l"(from), "r"(source_bytes)
               : "memory");
}
/// Closes the group of the copies that this thread has begun.
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until all but the newest `Open` groups of this thread have arrived. A barrier shows them to the others.
template <int Open>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" : : "n"(Open) : "memory");
}

// --- types of 16 bits ------------------------------------------------------------------------------------------------

__device__ __forceinline__ float float16_bits_to_float(uint16_t bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
__device__ __forceinline__ uint16_t float_to_float16_bits(float value) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
__device__ __forceinline__ uint16_t float_to_bfloat16_bits(float value) {
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
/// Two floats rounded to nearest even, the first in the low half.
__device__ __forceinline__ uint32_t pack_float16(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ __forceinline__ uint32_t pack_bfloat16(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
/// The same, but 65504 in the place of what float16 has no number for: one such element would otherwise make sums of
/// infinities, and NaN, of all that are added to it. NaN stays.
__device__ __forceinline__ uint32_t pack_finite_float16(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.satfinite.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
/// Both halves of a pair of float16 at once, rounded to nearest: a - b, a * b + c.
__device__ __forceinline__ uint32_t subtract_halves(uint32_t a, uint32_t b) {
  uint32_t result;
  asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ uint32_t multiply_add_halves(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t result;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}
/// 2^x to about 2^-22 relative; what would be denormal is 0.
__device__ __forceinline__ float exp2_fast(float x) {
  float value;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(value) : "f"(x));
  return value;
}
/// (a & b) | c in one instruction.
__device__ __forceinline__ uint32_t and_or(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

// --- tensor cores
// ------------------------------------------------------------------------------------------------------

/// d += a * b for a 16 x 16 tile a, 16 x 8 tile b, 16 x 8 tile d, held by the warp together. With g = lane / 4 and
/// t = lane % 4: a[0] holds (g, 2t) and (g, 2t+1), a[1] row g+8, a[2] columns +8, a[3] both; b[0] holds rows 2t and
/// 2t+1 of column g, b[1] rows +8; d[0], d[1] are (g, 2t) and (g, 2t+1), d[2], d[3] row g+8.
__device__ __forceinline__ void mma_bfloat16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void mma_float16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Four 8 x 8 matrices of 16-bit elements from shared memory: lane i gives the address of row i % 8 of matrix i / 8,
/// 16-byte aligned; out[j] of a lane holds elements (lane / 4, 2 * (lane % 4)) and the next of matrix j.
__device__ __forceinline__ void load_matrices(uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}
/// The same, each matrix transposed: out[j] holds elements (2 * (lane % 4), lane / 4) and the one below.
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}

// --- overlap of kernels (launch_overlapped)
// ------------------------------------------------------------------------------

/// Waits until the kernel before on the stream has ended and its writes can be seen. In a kernel launched with
/// launch_overlapped every thread calls it, also one with nothing to do, and before it touches anything but weights.
__device__ __forceinline__ void wait_for_previous_kernel() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Lets the next kernel of the stream be started (it waits itself for what this one writes).
__device__ __forceinline__ void let_next_kernel_start() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

}  // namespace graft::kernels::cuda
