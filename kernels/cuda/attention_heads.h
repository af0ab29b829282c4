// A head of one row in the registers of a warp, normalised and rotated there (Zhang and Sennrich 2019; Su et al. 2021):
// for kernels that prepare queries and keys where they use them. Lane l has columns 64 j + 2 l and the next.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/rotary.h"

namespace graft::kernels::cuda {
namespace {

/// width: that of the head at least, a multiple of 64. Columns beyond the head are zero. Called by whole warps.
template <int width>
struct HeadRow {
  static constexpr int pieces = width / 64;
  float value[pieces][2] = {};

  static __device__ int32_t column(int piece) { return piece * 64 + 2 * static_cast<int32_t>(threadIdx.x % 32); }

  /// Of an even number of columns.
  __device__ void load(const float* from, int32_t head_dim) {
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
      if (column(j) >= head_dim) continue;
      value[j][0] = from[column(j)];
      value[j][1] = from[column(j) + 1];
    }
  }

  /// RMS norm of the head alone; null: none.
  __device__ void normalise(const RotaryCacheArgs& a, const void* weight) {
    if (weight == nullptr) return;
    float2 weights[pieces] = {};
    float squares = 0;
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
      if (column(j) < a.cache.head_dim) weights[j] = load_two(weight, column(j), a.norm_dtype);
      squares += value[j][0] * value[j][0] + value[j][1] * value[j][1];
    }
    const float inverse = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(a.cache.head_dim) + a.norm_epsilon);
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
      value[j][0] *= inverse * (a.norm_weight_offset + weights[j].x);
      value[j][1] *= inverse * (a.norm_weight_offset + weights[j].y);
    }
  }

  /// By the angles of row `row` of the step; rotary_dim is a multiple of 4, or pairs are neighbours.
  __device__ void rotate(const RotaryCacheArgs& a, int64_t row) {
    if (a.cosine == nullptr) return;
    const int32_t pairs = a.rotary_dim / 2;
    float cosine[pieces][2] = {}, sine[pieces][2] = {}, other[pieces][2];
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int32_t c = column(j) + e;
        const int32_t pair = a.interleaved ? c / 2 : c < pairs ? c : c - pairs;
        const int64_t at = row * pairs + (c < a.rotary_dim ? pair : 0);  // no branch: what is loaded for others is left
        cosine[j][e] = a.cosine[at];
        sine[j][e] = a.sine[at];
      }
    }
    if (a.interleaved) {
#pragma unroll
      for (int j = 0; j < pieces; ++j) {
        other[j][0] = -value[j][1];
        other[j][1] = value[j][0];
      }
    } else {
      fetch_partners(pairs, other);
    }
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const float rotated = value[j][e] * cosine[j][e] + other[j][e] * sine[j][e];
        if (column(j) + e < a.rotary_dim) value[j][e] = rotated;
      }
    }
  }

 private:
  /// The other of each pair (c, c + pairs), the second one negated. What belongs to no pair gets any number.
  __device__ void fetch_partners(int32_t pairs, float (&other)[pieces][2]) const {
#pragma unroll
    for (int j = 0; j < pieces; ++j) {
      const bool first = column(j) < pairs;
      const int32_t from = first ? column(j) + pairs : column(j) - pairs;
      other[j][0] = other[j][1] = 0;
#pragma unroll
      for (int piece = 0; piece < pieces; ++piece) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const float given = __shfl_sync(all_lanes, value[piece][e], from / 2 % 32);
          if (from / 64 == piece) other[j][e] = first ? -given : given;
        }
      }
    }
  }
};

}  // namespace
}  // namespace graft::kernels::cuda
