// sum_residual_norm: one block to a row, which gives its share to the others, waits for theirs and normalises the row.
// A row of up to 8,192 values stays in registers; wider ones, and those that cannot be read two values at a time, are
// read again from the cache. Blocks wait for blocks of other devices, never for one of their own.
#include "kernels/spec/sum_residual_norm.h"

#include "kernels/cuda/convert.h"
#include "kernels/cuda/exchange.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/sum_plan.h"
#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int64_t partial_bytes = 32 * sizeof(float);

__device__ __forceinline__ float2 plus(float2 a, float2 b) { return {a.x + b.x, a.y + b.y}; }

// In an order that no compiler may change: ranks whose rows lie at other alignments have the same bits.
__device__ __forceinline__ float squares_of(float2 a) { return __fmaf_rn(a.x, a.x, __fmul_rn(a.y, a.y)); }
__device__ __forceinline__ float normed(float value, float inverse, float weight, float bias) {
  return __fadd_rn(__fmul_rn(__fmul_rn(value, inverse), weight), bias);
}
__device__ __forceinline__ float inverse_of(float squares, const ResidualNormArgs& norm) {
  return 1.0f / sqrtf(__fadd_rn(__fmul_rn(squares, 1.0f / static_cast<float>(norm.width)), norm.epsilon));
}
__device__ __forceinline__ float mean_of(float sum, float* partial, const ResidualNormArgs& norm) {
  return norm.kind == NormKind::layer ? __fmul_rn(block_sum(sum, partial), 1.0f / static_cast<float>(norm.width))
                                      : 0.0f;
}

/// Elements index and index + 1; index is even.
__device__ __forceinline__ float2 load_two(const void* base, int64_t index, DType dtype) {
  if (dtype == DType::float32) return load_float2(static_cast<const float*>(base) + index);
  const uint32_t bits = load_4(static_cast<const uint16_t*>(base) + index);
  if (dtype == DType::bfloat16) return {__uint_as_float(bits << 16), __uint_as_float(bits & 0xffff0000u)};
  return {float16_bits_to_float(static_cast<uint16_t>(bits & 0xffffu)),
          float16_bits_to_float(static_cast<uint16_t>(bits >> 16))};
}

// The next kernel may start at once, and waits for all of this one before it reads anything. Nothing is sent before the
// kernels in front have ended: they wrote the share, and read the words that are about to be written over. Whatever is
// needed besides the words is asked for before the wait for them.
template <int pairs, int ranks>
__global__ void __launch_bounds__(most_sum_threads, 1) sum_in_registers(const __grid_constant__ SumResidualNormArgs a) {
  auto* partial = static_cast<float*>(dynamic_shared());
  const ResidualNormArgs& norm = a.norm;
  let_next_kernel_start();
  const auto pair = [](int j) { return int64_t{j} * blockDim.x + threadIdx.x; };
  const auto is_there = [&](int j) { return 2 * pair(j) < norm.width; };
  const auto weight = [&](int j) -> float2 {
    if (norm.weight == nullptr || !is_there(j)) return {1, 1};
    return plus(load_two(norm.weight, 2 * pair(j), norm.weight_dtype), {norm.weight_offset, norm.weight_offset});
  };
  constexpr bool early = pairs <= 4, early_weights = early && pairs * ranks < 32;  // as far as there are registers
  float2 weights[early_weights ? pairs : 1] = {};
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    if (early_weights) weights[early_weights ? j : 0] = weight(j);
    if (!early_weights && norm.weight != nullptr && is_there(j)) {
      prefetch(static_cast<const unsigned char*>(norm.weight) +
               2 * pair(j) * (norm.weight_dtype == DType::float32 ? 4 : 2));
    }
  }
  wait_for_previous_kernel();
  const int64_t row = blockIdx.x;
  if (row >= *norm.rows) return;
  const ExchangedRow exchanged(a.peers, row);
  const int64_t begin = row * norm.width;
  float2 shares[pairs], values[pairs];
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    shares[j] = values[j] = {};
    if (!is_there(j)) continue;
    shares[j] = load_float2(norm.delta + begin + 2 * pair(j));
    if (early) values[j] = load_float2(norm.residual + begin + 2 * pair(j));
  }
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    if (is_there(j)) exchanged.give(pair(j), shares[j]);
  }
  __syncthreads();
  if (threadIdx.x == 0) a.peers.epochs[row] = exchanged.epoch;
  constexpr int batch = sum_batch<pairs, ranks>;
#pragma unroll
  for (int j = 0; j < pairs; j += batch) {
    exchanged.take<batch, ranks>(pair(j), blockDim.x, norm.width / 2, shares + j);
  }
  float sum = 0;
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    if (!is_there(j)) continue;
    if (!early) values[j] = load_float2(norm.residual + begin + 2 * pair(j));
    values[j] = plus(values[j], shares[j]);
    if (norm.delta_bias != nullptr) {
      values[j] = plus(values[j], load_two(norm.delta_bias, 2 * pair(j), norm.delta_bias_dtype));
    }
    store_float2(norm.residual + begin + 2 * pair(j), values[j]);
    sum += values[j].x + values[j].y;
  }
  if (norm.out == nullptr) return;
  const float mean = mean_of(sum, partial, norm);
  float squares = 0;
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    if (!is_there(j)) continue;
    values[j] = plus(values[j], {-mean, -mean});
    squares += squares_of(values[j]);
  }
  const float inverse = inverse_of(block_sum(squares, partial), norm);
#pragma unroll
  for (int j = 0; j < pairs; ++j) {
    if (!is_there(j)) continue;
    const float2 factor = early_weights ? weights[early_weights ? j : 0] : weight(j);
    float2 bias = {0, 0};
    if (norm.bias != nullptr) bias = load_two(norm.bias, 2 * pair(j), norm.weight_dtype);
    store_float2(norm.out + begin + 2 * pair(j),
                 {normed(values[j].x, inverse, factor.x, bias.x), normed(values[j].y, inverse, factor.y, bias.y)});
  }
}

// Elements of a row that may end within a pair.
__device__ __forceinline__ float2 load_some(const float* row, int64_t index, int64_t width) {
  return {row[index], index + 1 < width ? row[index + 1] : 0.0f};
}
__device__ __forceinline__ float2 load_some(const void* row, int64_t index, int64_t width, DType dtype) {
  return {load_element(row, index, dtype), index + 1 < width ? load_element(row, index + 1, dtype) : 0.0f};
}
__device__ __forceinline__ void store_some(float* row, int64_t index, int64_t width, float2 value) {
  row[index] = value.x;
  if (index + 1 < width) row[index + 1] = value.y;
}

// Each thread reads again only what it wrote itself.
__global__ void __launch_bounds__(most_sum_threads, 1) sum_in_memory(const __grid_constant__ SumResidualNormArgs a) {
  auto* partial = static_cast<float*>(dynamic_shared());
  const ResidualNormArgs& norm = a.norm;
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t row = blockIdx.x, width = norm.width;
  if (row >= *norm.rows) return;
  const ExchangedRow exchanged(a.peers, row);
  const float* delta = norm.delta + row * width;
  float* residual = norm.residual + row * width;
  const int64_t first = 2 * int64_t{threadIdx.x}, step = 2 * int64_t{blockDim.x};
  for (int64_t i = first; i < width; i += step) exchanged.give(i / 2, load_some(delta, i, width));
  __syncthreads();
  if (threadIdx.x == 0) a.peers.epochs[row] = exchanged.epoch;
  float sum = 0;
  for (int64_t i = first; i < width; i += step) {
    float2 summed = load_some(delta, i, width);
    exchanged.take<1, most_exchange_ranks>(i / 2, 0, i / 2 + 1, &summed);
    float2 value = plus(load_some(residual, i, width), summed);
    if (norm.delta_bias != nullptr) {
      value = plus(value, load_some(norm.delta_bias, i, width, norm.delta_bias_dtype));
    }
    store_some(residual, i, width, value);
    sum += value.x + value.y;
  }
  if (norm.out == nullptr) return;
  const float mean = mean_of(sum, partial, norm);
  float squares = 0;
  for (int64_t i = first; i < width; i += step) {
    float2 value = plus(load_some(residual, i, width), {-mean, -mean});
    if (i + 1 >= width) value.y = 0;
    squares += squares_of(value);
  }
  const float inverse = inverse_of(block_sum(squares, partial), norm);
  for (int64_t i = first; i < width; i += step) {
    const float2 value = plus(load_some(residual, i, width), {-mean, -mean});
    float2 weight = {1, 1}, bias = {0, 0};
    if (norm.weight != nullptr) {
      weight = plus(load_some(norm.weight, i, width, norm.weight_dtype), {norm.weight_offset, norm.weight_offset});
    }
    if (norm.bias != nullptr) bias = load_some(norm.bias, i, width, norm.weight_dtype);
    store_some(norm.out + row * width, i, width,
               {normed(value.x, inverse, weight.x, bias.x), normed(value.y, inverse, weight.y, bias.y)});
  }
}

template <int ranks>
auto sum_of_ranks(int32_t pairs) {
  return pairs == 1   ? &sum_in_registers<1, ranks>
         : pairs == 2 ? &sum_in_registers<2, ranks>
         : pairs == 4 ? &sum_in_registers<4, ranks>
                      : &sum_in_registers<8, ranks>;
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const SumResidualNormArgs*>(args);
  return exchange_holds(a.norm, a.peers);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const SumResidualNormArgs*>(args);
  const ResidualNormArgs& norm = a.norm;
  const auto readable = [&](const void* address, int64_t bytes) { return has_pairs(address, norm.width, bytes); };
  const int64_t bytes = float_dtype_bytes(norm.weight_dtype);
  const SumPlan plan =
      sum_plan(norm.width, readable(norm.residual, 4) && readable(norm.delta, 4) && readable(norm.out, 4) &&
                               readable(norm.delta_bias, float_dtype_bytes(norm.delta_bias_dtype)) &&
                               readable(norm.weight, bytes) && readable(norm.bias, bytes));
  const auto kernel = plan.pairs == 0      ? &sum_in_memory
                      : a.peers.ranks <= 2 ? sum_of_ranks<2>(plan.pairs)
                      : a.peers.ranks <= 4 ? sum_of_ranks<4>(plan.pairs)
                                           : sum_of_ranks<most_exchange_ranks>(plan.pairs);
  launch_overlapped(kernel, {static_cast<unsigned>(norm.capacity), 1, 1}, {static_cast<unsigned>(plan.threads), 1, 1},
                    partial_bytes, context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_sum_residual_norm_sm80;
const Variant kernel_cuda_sum_residual_norm_sm80 = {
    Op::sum_residual_norm, Isa::sm80, "sum_residual_norm.sm80", accepts, nullptr, run};

}  // namespace graft::kernels
