// linear with int8 or int4 weights, in C++ without intrinsics: a few weight rows at a time are
// widened to float32 into a buffer of the first-level cache, which all rows of x then pass by. Sums are kept in lanes,
// so that their order does not depend on the compiler, the tile or the number of workers.
#include "kernels/cpu/parallel.h"
#include "kernels/spec/quantized.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr int64_t tile_rows = 4;      // of the weight
constexpr int64_t depth_block = 512;  // even, so that a block of int4 begins on a byte; the buffer is 8 KiB

void widen_int8(const signed char* from, int64_t count, float scale, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) * scale;
}

// A group may begin in the middle of a byte.
void widen_int4(const unsigned char* row, int64_t begin, int64_t count, float scale, float* to) {
  int64_t i = 0;
  if (begin % 2 != 0 && count > 0) to[i++] = static_cast<float>(load_quantized(row, begin, DType::int4)) * scale;
  const unsigned char* from = row + (begin + i) / 2;
  const int64_t pairs = (count - i) / 2;
  float* at = to + i;
  for (int64_t p = 0; p < pairs; ++p) {
    at[2 * p] = static_cast<float>(static_cast<int32_t>(from[p] & 15u) - 8) * scale;
    at[2 * p + 1] = static_cast<float>(static_cast<int32_t>(from[p] >> 4) - 8) * scale;
  }
  i += 2 * pairs;
  if (i < count) to[i] = static_cast<float>(load_quantized(row, begin + i, DType::int4)) * scale;
}

/// Weights [k, k + depth) of one row as float32.
void widen(const LinearSegment& segment, int64_t in_features, int64_t row, int64_t k, int64_t depth, float* to) {
  if (!is_quantized(segment.weight_dtype)) {
    for (int64_t i = 0; i < depth; ++i) to[i] = load_weight(segment, in_features, row, k + i);
    return;
  }
  const int64_t group_size = segment.group_size;
  const float* scales = segment.scales + row * quantized_groups(in_features, group_size);
  const auto* bytes =
      static_cast<const unsigned char*>(segment.weight) + row * quantized_row_bytes(in_features, segment.weight_dtype);
  for (int64_t i = k; i < k + depth;) {
    const int64_t group = i / group_size, left = k + depth - i, inside = group_size - i % group_size;
    const int64_t count = inside < left ? inside : left;
    if (segment.weight_dtype == DType::int8) {
      widen_int8(reinterpret_cast<const signed char*>(bytes) + i, count, scales[group], to + i - k);
    } else {
      widen_int4(bytes, i, count, scales[group], to + i - k);
    }
    i += count;
  }
}

using Lanes = float __attribute__((vector_size(16)));  // every 64-bit machine has these; no intrinsics needed

Lanes load_lanes(const float* from) {
  Lanes lanes;
  __builtin_memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

/// sums[w] = row w of the buffer . x over `depth` elements.
void multiply(const float* x, const float (*weights)[depth_block], int64_t depth, float* sums) {
  Lanes low[tile_rows] = {}, high[tile_rows] = {};
  const int64_t whole = depth / 8 * 8;
  for (int64_t k = 0; k < whole; k += 8) {
    const Lanes x_low = load_lanes(x + k), x_high = load_lanes(x + k + 4);
#pragma GCC unroll 4
    for (int64_t w = 0; w < tile_rows; ++w) {
      low[w] += x_low * load_lanes(weights[w] + k);
      high[w] += x_high * load_lanes(weights[w] + k + 4);
    }
  }
  for (int64_t w = 0; w < tile_rows; ++w) {
    const Lanes both = low[w] + high[w];
    float sum = (both[0] + both[1]) + (both[2] + both[3]);
    for (int64_t k = whole; k < depth; ++k) sum += x[k] * weights[w][k];
    sums[w] = sum;
  }
}

/// Output features [begin, end) of one segment; `out` is the segment's first column.
void multiply_segment(const LinearArgs& a, const LinearSegment& segment, int64_t begin, int64_t end, float* out) {
  const int64_t rows = *a.rows;
  float weights[tile_rows][depth_block] =
      {};  // rows beyond a last, smaller tile keep old values: nobody reads the sums
  for (int64_t o = begin; o < end; o += tile_rows) {
    const int64_t count = end - o < tile_rows ? end - o : tile_rows;
    for (int64_t w = 0; w < count; ++w) {
      const float bias = segment.bias != nullptr ? load_float(segment.bias, o + w, segment.bias_dtype) : 0.0f;
      for (int64_t r = 0; r < rows && !a.accumulate; ++r) out[r * a.out_stride + o + w] = bias;
    }
    for (int64_t k = 0; k < a.in_features; k += depth_block) {
      const int64_t depth = a.in_features - k < depth_block ? a.in_features - k : depth_block;
      for (int64_t w = 0; w < count; ++w) widen(segment, a.in_features, o + w, k, depth, weights[w]);
      for (int64_t r = 0; r < rows; ++r) {
        float sums[tile_rows];
        multiply(a.x + r * a.x_stride + k, weights, depth, sums);
        for (int64_t w = 0; w < count; ++w) out[r * a.out_stride + o + w] += sums[w];
      }
    }
  }
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  bool any = false;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const LinearSegment& segment = a.segments[s];
    if (segment.bias != nullptr && float_dtype_bytes(segment.bias_dtype) == 0) return false;
    if (is_quantized(segment.weight_dtype)) {
      any = true;
    } else if (float_dtype_bytes(segment.weight_dtype) == 0) {
      return false;
    }
  }
  return any;
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  if (*a.rows <= 0) return;
  int64_t features = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) features += a.segments[s].out_features;
  const int64_t grain = tile_rows + 16384 / (a.in_features + 1);
  for_each_range(context, features, grain, [&](int64_t begin, int64_t end, int32_t) {
    int64_t first = 0;  // of this segment, among all output features
    for (int32_t s = 0; s < a.segment_count; ++s) {
      const LinearSegment& segment = a.segments[s];
      const int64_t from = begin > first ? begin - first : 0;
      const int64_t to = end - first < segment.out_features ? end - first : segment.out_features;
      if (from < to) multiply_segment(a, segment, from, to, a.out + first);
      first += segment.out_features;
    }
  });
}

}  // namespace

extern const Variant kernel_cpu_linear_quantized_baseline;
const Variant kernel_cpu_linear_quantized_baseline = {Op::linear, Isa::baseline, "linear.quantized.baseline",
                                                      accepts,    nullptr,       run};

}  // namespace graft::kernels
