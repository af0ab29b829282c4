// Scalar conversions between float32 and the 16-bit types, for the plain versions and for the tails of the vector ones.
// Internal linkage and no intrinsics: a file compiled for a wider instruction set keeps its own copy to itself.
#pragma once

#include "kernels/spec/dtype.h"

namespace graft::kernels {

static inline uint32_t float_bits(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float_from_bits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

static inline float bfloat16_to_float(uint16_t half) { return float_from_bits(static_cast<uint32_t>(half) << 16); }

/// Rounds to nearest even; a NaN stays a (quiet) NaN.
static inline uint16_t float_to_bfloat16(float value) {
  const uint32_t bits = float_bits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float float16_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0x1fu) return float_from_bits(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return float_from_bits(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // subnormal or zero, exact
  return float_from_bits(sign | float_bits(magnitude));
}

/// Rounds to nearest even, overflows to infinity; a NaN stays a (quiet) NaN. Equal to F16C's vcvtps2ph.
static inline uint16_t float_to_float16(float value) {
  const uint32_t bits = float_bits(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65520 and above
  if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 leaves the rounded multiple of 2^-24 in the low bits
    const float shifted = float_from_bits(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (float_bits(shifted) - 0x3f000000u));
  }
  const uint32_t rounded = magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | (rounded >> 13));
}

/// Bytes of one element of a floating type that kernels read; 0 for any other type.
static inline int64_t float_dtype_bytes(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return 4;
    case DType::bfloat16:
    case DType::float16:
      return 2;
    default:
      return 0;
  }
}

/// Element `index` of an array of float32, bfloat16 or float16, at any alignment.
static inline float load_float(const void* base, int64_t index, DType dtype) {
  const unsigned char* bytes = static_cast<const unsigned char*>(base) + index * float_dtype_bytes(dtype);
  if (dtype == DType::float32) {
    float value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
  }
  uint16_t half;
  __builtin_memcpy(&half, bytes, sizeof half);
  return dtype == DType::bfloat16 ? bfloat16_to_float(half) : float16_to_float(half);
}

/// Stores `value` as element `index` of an array of float32, bfloat16 or float16, at any alignment.
static inline void store_float(void* base, int64_t index, DType dtype, float value) {
  unsigned char* bytes = static_cast<unsigned char*>(base) + index * float_dtype_bytes(dtype);
  if (dtype == DType::float32) {
    __builtin_memcpy(bytes, &value, sizeof value);
    return;
  }
  const uint16_t half = dtype == DType::bfloat16 ? float_to_bfloat16(value) : float_to_float16(value);
  __builtin_memcpy(bytes, &half, sizeof half);
}

}  // namespace graft::kernels
