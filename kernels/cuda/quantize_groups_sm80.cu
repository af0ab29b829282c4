// quantize_groups: a block to a row. First the scales, a small group by a warp and a large one by the whole block, then
// every byte of the row by one thread, so that two groups may share a byte. Bit-equal to the reference: maxima are
// exact, and divisions are rounded as IEEE 754 says whatever the compiler was told.
#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/variant.h"
#include "kernels/spec/weights.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = quantize_threads;
constexpr int32_t group_of_block = 1024;  // from here on a warp alone would take too long
constexpr float largest_finite = 3.402823466e+38f;

__device__ __forceinline__ float load_weight(const QuantizeGroupsArgs& a, int64_t start, uint32_t index) {
  const float stored = load_element(a.x, start + index * a.column_stride, a.x_dtype);
  if (a.via == DType::bfloat16) return bfloat16_bits_to_float(float_to_bfloat16_bits(stored));
  if (a.via == DType::float16) return float16_bits_to_float(float_to_float16_bits(stored));
  return stored;
}

// Largest magnitude of elements first, first + step, ... before `end`. What is not finite is told.
// Places in a row are unsigned: one and a step more may be beyond 2^31.
__device__ __forceinline__ float largest_of(const QuantizeGroupsArgs& a, int64_t start, uint32_t first, uint32_t end,
                                            uint32_t step) {
  float largest = 0;
  bool fit = true;
#pragma unroll 4  // loads in flight
  for (uint32_t i = first; i < end; i += step) {
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
  constexpr uint32_t warps = threads / 32;
  auto* partial = static_cast<float*>(dynamic_shared());
  const auto width = static_cast<uint32_t>(a.width), thread = threadIdx.x;
  const uint32_t size = a.group_size < a.width ? static_cast<uint32_t>(a.group_size) : width;
  const uint32_t groups = (width - 1) / size + 1, lane = thread % 32, warp = thread / 32;
  const int64_t row_bytes = four_bits ? (a.width + 1) / 2 : a.width;
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    const int64_t start = row * a.row_stride;
    float* scales = a.scales + row * groups;
    if (size < group_of_block) {
      for (uint32_t g = warp; g < groups; g += warps) {
        const uint32_t begin = g * size, end = width - begin > size ? begin + size : width;
        const float largest = warp_max(largest_of(a, start, begin + lane, end, 32));
        if (lane == 0) scales[g] = __fdiv_rn(largest, half_range);
      }
    } else {
      for (uint32_t g = 0; g < groups; ++g) {
        const uint32_t begin = g * size, end = width - begin > size ? begin + size : width;
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
    for (uint32_t byte = thread; byte < row_bytes; byte += threads) {
      const uint32_t first = four_bits ? 2 * byte : byte;
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
         quantize_groups_plan(a.rows, multiprocessors(context)), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_quantize_groups_sm80;
const Variant kernel_cuda_quantize_groups_sm80 = {
    Op::quantize_groups, Isa::sm80, "quantize_groups.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
