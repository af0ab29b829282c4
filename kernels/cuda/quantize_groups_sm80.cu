// quantize_groups: a block to a row. First the scales, a small group by a warp and a large one by the whole block, then
// every byte of the row by one thread, so that two groups may share a byte. Bit-equal to the reference: maxima are
// exact, and divisions are rounded as IEEE 754 says whatever the compiler was told.
#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/variant.h"
#include "kernels/spec/weights.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = 256;
constexpr int32_t group_of_block = 1024;  // from here on a warp alone would take too long
constexpr float largest_finite = 3.402823466e+38f;

__device__ __forceinline__ float load_weight(const QuantizeGroupsArgs& a, int64_t start, int32_t index) {
  const float stored = load_element(a.x, start + index * a.column_stride, a.x_dtype);
  if (a.via == DType::bfloat16) return bfloat16_bits_to_float(float_to_bfloat16_bits(stored));
  if (a.via == DType::float16) return float16_bits_to_float(float_to_float16_bits(stored));
  return stored;
}

// Largest magnitude of elements first, first + step, ... before `end`. What is not finite is told.
__device__ __forceinline__ float largest_of(const QuantizeGroupsArgs& a, int64_t start, int32_t first, int32_t end,
                                            int32_t step) {
  float largest = 0;
  bool fit = true;
#pragma unroll 4  // loads in flight
  for (int32_t i = first; i < end; i += step) {
    const float magnitude = fabsf(load_weight(a, start, i));
    fit = fit && magnitude <= largest_finite;
    largest = fmaxf(largest, magnitude);
  }
  if (!fit) *a.unfit = a.number;  // whoever is last; all are true
  return largest;
}

__device__ __forceinline__ int32_t quantized(float value, float scale, float half_range) {
  if (scale == 0) return 0;
  return static_cast<int32_t>(fminf(fmaxf(rintf(__fdiv_rn(value, scale)), -half_range), half_range - 1));
}

template <bool four_bits>
__global__ void __launch_bounds__(threads) quantize_rows(QuantizeGroupsArgs a) {
  constexpr float half_range = four_bits ? 8 : 128;
  constexpr int warps = threads / 32;
  auto* partial = static_cast<float*>(dynamic_shared());
  const auto width = static_cast<int32_t>(a.width), thread = static_cast<int32_t>(threadIdx.x);
  const int32_t size = a.group_size < a.width ? static_cast<int32_t>(a.group_size) : width;
  const int32_t groups = (width - 1) / size + 1, lane = thread % 32, warp = thread / 32;
  const int64_t row_bytes = four_bits ? (a.width + 1) / 2 : a.width;
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    const int64_t start = row * a.row_stride;
    float* scales = a.scales + row * groups;
    if (size < group_of_block) {
      for (int32_t g = warp; g < groups; g += warps) {
        const int32_t begin = g * size, end = width - begin > size ? begin + size : width;
        const float largest = warp_max(largest_of(a, start, begin + lane, end, 32));
        if (lane == 0) scales[g] = __fdiv_rn(largest, half_range);
      }
    } else {
      for (int32_t g = 0; g < groups; ++g) {
        const int32_t begin = g * size, end = width - begin > size ? begin + size : width;
        const float largest = warp_max(largest_of(a, start, begin + thread, end, threads));
        if (lane == 0) partial[warp] = largest;
        __syncthreads();
        const float whole = warp_max(lane < warps ? partial[lane] : 0.0f);
        if (thread == 0) scales[g] = __fdiv_rn(whole, half_range);
        __syncthreads();
      }
    }
    __syncthreads();  // the block sees its scales
    auto* out = static_cast<unsigned char*>(a.out) + row * row_bytes;
    for (int32_t byte = thread; byte < row_bytes; byte += threads) {
      const int32_t first = four_bits ? 2 * byte : byte;
      const int32_t low = quantized(load_weight(a, start, first), scales[first / size], half_range);
      if constexpr (four_bits) {
        const int32_t high =
            first + 1 < width ? quantized(load_weight(a, start, first + 1), scales[(first + 1) / size], half_range) : 0;
        out[byte] = static_cast<unsigned char>((low + 8) | (high + 8) << 4);
      } else {
        out[byte] = static_cast<unsigned char>(low);
      }
    }
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const QuantizeGroupsArgs*>(args);
  if (a.rows < 1 || a.width < 1) return;
  launch(a.out_dtype == DType::int4 ? &quantize_rows<true> : &quantize_rows<false>,
         {grid_for(a.rows, multiprocessors(context)), 1, 1}, {threads, 1, 1}, 32 * sizeof(float), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_quantize_groups_sm80;
const Variant kernel_cuda_quantize_groups_sm80 = {
    Op::quantize_groups, Isa::sm80, "quantize_groups.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
