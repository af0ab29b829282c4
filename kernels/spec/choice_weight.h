// What choosing a token computes of a logit: float32 and float64 operations that IEEE 754 defines, in an order that no
// compiler may change, so that host and device agree to the last bit.
#pragma once

#include <math.h>
#include <string.h>

#include <cstdint>

#include "kernels/spec/choose_token.h"

#if defined(__CUDACC__)
#define GRAFT_CHOICE static __host__ __device__ __forceinline__
#else
#define GRAFT_CHOICE static inline
#endif
#if defined(__FP_FAST_FMAF) && !defined(__CUDACC__)
#error "a compiler for this target may fuse the products and sums below: compile this file with -ffp-contract=off"
#endif

namespace graft::kernels {

/// The weight of the largest logit, and how far below it, in powers of two, a logit weighs nothing.
constexpr int64_t choice_one = int64_t{1} << 40;
constexpr float choice_reach = 41;
/// What a draw adds to the state of the generator.
constexpr uint64_t choice_step = 0x9e3779b97f4a7c15u;

GRAFT_CHOICE bool choice_draws(const TokenChoice& choice) { return (choice.wanted != 0) & (choice.temperature > 0); }

GRAFT_CHOICE float choice_scale(float temperature) {
  return static_cast<float>(1.4426950408889634 / static_cast<double>(temperature));
}

// Never one fused operation, which not every machine has.
GRAFT_CHOICE float choice_product(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
GRAFT_CHOICE float choice_sum(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

// The whole number nearest to a value from 0 to 2^22, even where two are.
GRAFT_CHOICE float choice_whole(float value) {
#if defined(__CUDA_ARCH__)
  return rintf(value);
#else
  constexpr float whole_from_here = 0x1.8p23f;  // its neighbours are 1 apart
  return value + whole_from_here - whole_from_here;
#endif
}

// The same of value * 2^exponent up to 2^51, as an integer; the exponent is from -126 to 127, and the product normal.
GRAFT_CHOICE int64_t choice_integer(float value, int exponent) {
#if defined(__CUDA_ARCH__)
  return llrintf(ldexpf(value, exponent));
#else
  const int32_t power_bits = (127 + exponent) << 23;
  float power;
  memcpy(&power, &power_bits, sizeof power);
  constexpr double whole_from_here = 0x1.8p52;
  const double shifted = static_cast<double>(value * power) + whole_from_here;
  int64_t bits, begin;
  memcpy(&bits, &shifted, sizeof bits);
  memcpy(&begin, &whole_from_here, sizeof begin);
  return bits - begin;
#endif
}

/// How far `logit` lies below `largest`: 0 or more, or not a number. Grows as logits fall.
GRAFT_CHOICE float choice_distance(float logit, float largest, float scale) {
  if (logit == largest) return 0;
  return choice_product(largest - logit, scale);
}

/// round(2^(40 - distance)); 2^f for |f| <= 1/2 by a polynomial, good to 1.2 units of float32's last place.
GRAFT_CHOICE int64_t choice_weight(float distance) {
  if (!(distance < choice_reach)) return 0;
  const float whole = choice_whole(distance), f = choice_sum(whole, -distance);
  float power = 0x1.444004p-13f;
  power = choice_sum(choice_product(power, f), 0x1.5f0896p-10f);
  power = choice_sum(choice_product(power, f), 0x1.3b2a1cp-7f);
  power = choice_sum(choice_product(power, f), 0x1.c6af6cp-5f);
  power = choice_sum(choice_product(power, f), 0x1.ebfbe0p-3f);
  power = choice_sum(choice_product(power, f), 0x1.62e430p-1f);
  power = choice_sum(choice_product(power, f), 1.0f);
  return choice_integer(power, 40 - static_cast<int>(whole));
}

/// Whether sums of weights up to `reached`, of the most likely ones first, are what top_p asks for of `total`.
GRAFT_CHOICE bool choice_reaches(int64_t reached, float top_p, int64_t total) {
  return reached > 0 && static_cast<double>(reached) >= static_cast<double>(top_p) * static_cast<double>(total);
}

/// Whether min_p keeps this weight.
GRAFT_CHOICE bool choice_likely(int64_t weight, float min_p) {
  return min_p <= 0 || static_cast<double>(weight) >= static_cast<double>(min_p) * static_cast<double>(choice_one);
}

/// floor(u * total), less than `total` when that is positive.
GRAFT_CHOICE int64_t choice_target(uint64_t state, int64_t total) {
  uint64_t z = state + choice_step;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<int64_t>(static_cast<double>(z >> 11) * 0x1.0p-53 * static_cast<double>(total));
}

}  // namespace graft::kernels
