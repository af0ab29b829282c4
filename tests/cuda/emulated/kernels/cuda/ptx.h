// The functions of kernels/cuda/ptx.h for the emulation.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <thread>

#include "kernels/spec/convert.h"

namespace graft::kernels::cuda {

using emulated::Site;

inline void* dynamic_shared() { return emulated::shared_memory(); }

template <class T>
T load_aligned(const void* address, const Site& where) {
  emulated::check_aligned(address, sizeof(T), where);
  T value;
  memcpy(&value, address, sizeof value);
  return value;
}

inline uint4 load_once_16(const void* address, const Site& where = Site::current()) {
  return load_aligned<uint4>(address, where);
}
inline void prefetch(const void* address) { static_cast<void>(*static_cast<const volatile char*>(address)); }
inline float4 load_float4(const float* address, const Site& where = Site::current()) {
  return load_aligned<float4>(address, where);
}
inline float2 load_float2(const float* address, const Site& where = Site::current()) {
  return load_aligned<float2>(address, where);
}
inline uint4 load_16(const void* address, const Site& where = Site::current()) {
  return load_aligned<uint4>(address, where);
}
inline uint2 load_8(const void* address, const Site& where = Site::current()) {
  return load_aligned<uint2>(address, where);
}
inline uint32_t load_4(const void* address, const Site& where = Site::current()) {
  return load_aligned<uint32_t>(address, where);
}
inline void store_float4(float* address, float4 value, const Site& where = Site::current()) {
  emulated::check_aligned(address, 16, where);
  memcpy(address, &value, sizeof value);
}
inline void store_float2(float* address, float2 value, const Site& where = Site::current()) {
  emulated::check_aligned(address, 8, where);
  memcpy(address, &value, sizeof value);
}
template <class T>
void store_aligned(void* address, T value, const Site& where) {
  emulated::check_aligned(address, sizeof(T), where);
  memcpy(address, &value, sizeof value);
}
inline void store_16(void* address, uint4 value, const Site& where = Site::current()) {
  store_aligned(address, value, where);
}
inline void store_8(void* address, uint2 value, const Site& where = Site::current()) {
  store_aligned(address, value, where);
}
inline void store_4(void* address, uint32_t value, const Site& where = Site::current()) {
  store_aligned(address, value, where);
}

// Written and read by several threads of the host, each of which is a device.
struct WordPair {
  uint64_t first, second;
};
inline void store_shared_words(void* address, WordPair words, const Site& where = Site::current()) {
  emulated::check_aligned(address, 16, where);
  auto* place = static_cast<uint64_t*>(address);
  static thread_local unsigned count = 0;
  std::atomic_ref<uint64_t>(place[0]).store(words.first, std::memory_order_relaxed);
  if (++count % 1021 == 0) std::this_thread::yield();  // others see the one without the other
  std::atomic_ref<uint64_t>(place[1]).store(words.second, std::memory_order_relaxed);
}
inline WordPair load_shared_words(const void* address, const Site& where = Site::current()) {
  emulated::check_aligned(address, 16, where);
  auto* place = static_cast<uint64_t*>(const_cast<void*>(address));
  WordPair words;  // the second one first: that the first has come says nothing of it
  words.second = std::atomic_ref<uint64_t>(place[1]).load(std::memory_order_relaxed);
  words.first = std::atomic_ref<uint64_t>(place[0]).load(std::memory_order_relaxed);
  return words;
}
inline uint32_t load_shared_4(const void* address, const Site& where = Site::current()) {
  emulated::check_aligned(address, 4, where);
  return std::atomic_ref<uint32_t>(*static_cast<uint32_t*>(const_cast<void*>(address))).load(std::memory_order_relaxed);
}
constexpr int looks_at_words = 1;  // each is a turn of the processor
inline void pause_between_looks() { std::this_thread::yield(); }

inline void copy_async_16(void* to_shared, const void* from, uint32_t source_bytes = 16,
                          const Site& where = Site::current()) {
  emulated::copy_async(to_shared, from, 16, source_bytes, where);
}
inline void copy_async_4(void* to_shared, const void* from, uint32_t source_bytes = 4,
                         const Site& where = Site::current()) {
  emulated::copy_async(to_shared, from, 4, source_bytes, where);
}
inline void copy_async_commit() { emulated::copy_async_commit(); }
template <int Open>
void copy_async_wait() {
  emulated::copy_async_wait(Open);
}

inline float float16_bits_to_float(uint16_t bits) { return float16_to_float(bits); }
inline uint16_t float_to_float16_bits(float value) { return float_to_float16(value); }
inline uint16_t float_to_bfloat16_bits(float value) { return float_to_bfloat16(value); }
inline uint32_t pack_float16(float low, float high) {
  return static_cast<uint32_t>(float_to_float16(high)) << 16 | float_to_float16(low);
}
inline uint32_t pack_bfloat16(float low, float high) {
  return static_cast<uint32_t>(float_to_bfloat16(high)) << 16 | float_to_bfloat16(low);
}
inline uint32_t pack_finite_float16(float low, float high) {
  const auto finite = [](float value) { return value > 65504 ? 65504 : value < -65504 ? -65504 : value; };
  return pack_float16(finite(low), finite(high));
}
inline uint32_t multiply_add_halves(uint32_t a, uint32_t b, uint32_t c) {
  const auto half = [](uint32_t pair, int index) {
    return float16_to_float(static_cast<uint16_t>(pair >> (16 * index)));
  };
  const auto once = [&](int i) { return std::fma(half(a, i), half(b, i), half(c, i)); };
  return pack_float16(once(0), once(1));
}
inline uint32_t subtract_halves(uint32_t a, uint32_t b) { return multiply_add_halves(b, 0xbc00bc00u, a); }
inline float exp2_fast(float x) { return exp2f(x); }
inline uint32_t and_or(uint32_t a, uint32_t b, uint32_t c) { return (a & b) | c; }

struct MmaOperand {
  float* d;
  const uint32_t* a;
  const uint32_t* b;
};

/// To float32 by cutting off what does not fit, as tensor cores do (Fasi, Higham, Mikaitis and Pranesh 2021): over many
/// products that adds up, where rounding to nearest would not.
inline float cut_off(double sum) {
  const auto nearest = static_cast<float>(sum);
  return std::isfinite(nearest) && std::fabs(nearest) > std::fabs(sum) ? std::nextafterf(nearest, 0.0f) : nearest;
}

template <float (*ToFloat)(uint16_t)>
void mma_combine(void* const* operands) {
  const auto half = [](uint32_t pair, int index) { return ToFloat(static_cast<uint16_t>(pair >> (16 * index))); };
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& from = *static_cast<const MmaOperand*>(operands[lane]);
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 8; ++i) {  // register i / 2: rows +8 with bit 0 of it, columns +8 with bit 1
      const int part = i / 2;
      a[g + 8 * (part & 1)][2 * t + i % 2 + 8 * (part >> 1)] = half(from.a[part], i % 2);
    }
    for (int i = 0; i < 4; ++i) b[2 * t + i % 2 + 8 * (i / 2)][g] = half(from.b[i / 2], i % 2);
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto& to = *static_cast<const MmaOperand*>(operands[lane]);
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; ++i) {
      const int row = g + 8 * (i / 2), column = 2 * t + i % 2;
      double sum = to.d[i];
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];  // a product of two has at most 22 bits
      to.d[i] = cut_off(sum);
    }
  }
}

inline void mma_bfloat16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const Site& where = Site::current()) {
  MmaOperand mine{d, a, b};
  emulated::meet_warp(0xffffffffu, &mine, mma_combine<bfloat16_to_float>, where);
}
inline void mma_float16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                        const Site& where = Site::current()) {
  MmaOperand mine{d, a, b};
  emulated::meet_warp(0xffffffffu, &mine, mma_combine<float16_to_float>, where);
}

struct MatricesOperand {
  uint32_t* out;
  const void* row;
};

template <bool Transposed>
void load_matrices_combine(void* const* operands) {
  const auto element = [&](int matrix, int row, int column) {
    const auto& from = *static_cast<const MatricesOperand*>(operands[8 * matrix + row]);
    return static_cast<uint32_t>(static_cast<const uint16_t*>(from.row)[column]);
  };
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t* out = static_cast<const MatricesOperand*>(operands[lane])->out;
    const int g = lane / 4, t = lane % 4;
    for (int matrix = 0; matrix < 4; ++matrix) {
      out[matrix] = Transposed ? element(matrix, 2 * t, g) | element(matrix, 2 * t + 1, g) << 16
                               : element(matrix, g, 2 * t) | element(matrix, g, 2 * t + 1) << 16;
    }
  }
}

inline void load_matrices(uint32_t (&out)[4], const void* row, const Site& where = Site::current()) {
  emulated::check_aligned(row, 16, where);
  MatricesOperand mine{out, row};
  emulated::meet_warp(0xffffffffu, &mine, load_matrices_combine<false>, where);
}
inline void load_matrices_transposed(uint32_t (&out)[4], const void* row, const Site& where = Site::current()) {
  emulated::check_aligned(row, 16, where);
  MatricesOperand mine{out, row};
  emulated::meet_warp(0xffffffffu, &mine, load_matrices_combine<true>, where);
}

inline void wait_for_previous_kernel() {}
inline void let_next_kernel_start() {}

}  // namespace graft::kernels::cuda
