// residual_norm: one block to a row. A row of up to 16,384 elements is read once and stays in registers; wider ones,
// and those that cannot be read four elements at a time, are read again from the cache.
#include "kernels/spec/residual_norm.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/norm_plan.h"
#include "kernels/cuda/quads.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int64_t partial_bytes = 32 * sizeof(float);

template <int quads>
__global__ void __launch_bounds__(1024) norm_in_registers(ResidualNormArgs a) {
  auto* partial = static_cast<float*>(dynamic_shared());
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  const bool changed = a.delta != nullptr || a.delta_bias != nullptr;
  const float share = 1.0f / static_cast<float>(a.width);
  const auto column = [&](int j) { return 4 * (int64_t{j} * blockDim.x + threadIdx.x); };
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t begin = row * a.width;
    float4 values[quads];
    float sum = 0;
#pragma unroll
    for (int j = 0; j < quads; ++j) {
      const int64_t i = column(j);
      values[j] = {};
      if (i >= a.width) continue;
      values[j] = load_float4(a.residual + begin + i);
      if (a.delta != nullptr) values[j] = plus(values[j], load_float4(a.delta + begin + i));
      if (a.delta_bias != nullptr) values[j] = plus(values[j], load_four(a.delta_bias, i, a.delta_bias_dtype));
      if (changed) store_float4(a.residual + begin + i, values[j]);
      sum += sum_of(values[j]);
    }
    if (a.out == nullptr) continue;
    const float mean = a.kind == NormKind::layer ? block_sum(sum, partial) * share : 0.0f;
    float squares = 0;
#pragma unroll
    for (int j = 0; j < quads; ++j) {
      if (column(j) >= a.width) continue;
      values[j] = minus(values[j], mean);
      squares += sum_of(times(values[j], values[j]));
    }
    const float inverse = 1.0f / sqrtf(block_sum(squares, partial) * share + a.epsilon);
#pragma unroll
    for (int j = 0; j < quads; ++j) {
      const int64_t i = column(j);
      if (i >= a.width) continue;
      float4 value = times(values[j], inverse);
      if (a.weight != nullptr) value = times(value, minus(load_four(a.weight, i, a.weight_dtype), -a.weight_offset));
      if (a.bias != nullptr) value = plus(value, load_four(a.bias, i, a.weight_dtype));
      store_float4(a.out + begin + i, value);
    }
  }
}

__global__ void __launch_bounds__(1024) norm_in_memory(ResidualNormArgs a) {
  auto* partial = static_cast<float*>(dynamic_shared());
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  const float share = 1.0f / static_cast<float>(a.width);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    float* residual = a.residual + row * a.width;  // each thread reads again only what it wrote itself
    float sum = 0;
    for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x) {
      float value = residual[i];
      if (a.delta != nullptr) value += a.delta[row * a.width + i];
      if (a.delta_bias != nullptr) value += load_element(a.delta_bias, i, a.delta_bias_dtype);
      residual[i] = value;
      sum += value;
    }
    if (a.out == nullptr) continue;
    const float mean = a.kind == NormKind::layer ? block_sum(sum, partial) * share : 0.0f;
    float squares = 0;
    for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x) squares += (residual[i] - mean) * (residual[i] - mean);
    const float inverse = 1.0f / sqrtf(block_sum(squares, partial) * share + a.epsilon);
    for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x) {
      float value = (residual[i] - mean) * inverse;
      if (a.weight != nullptr) value *= a.weight_offset + load_element(a.weight, i, a.weight_dtype);
      if (a.bias != nullptr) value += load_element(a.bias, i, a.weight_dtype);
      a.out[row * a.width + i] = value;
    }
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ResidualNormArgs*>(args);
  const int64_t bytes = float_dtype_bytes(a.weight_dtype);
  const bool rows = has_quads(a.residual, a.width, 4) && has_quads(a.delta, a.width, 4) && has_quads(a.out, a.width, 4);
  const bool columns = has_quads(a.delta_bias, a.width, float_dtype_bytes(a.delta_bias_dtype)) &&
                       has_quads(a.weight, a.width, bytes) && has_quads(a.bias, a.width, bytes);
  const NormPlan plan = norm_plan(a.width, rows && columns);
  const auto kernel = plan.quads == 1   ? &norm_in_registers<1>
                      : plan.quads == 2 ? &norm_in_registers<2>
                      : plan.quads == 4 ? &norm_in_registers<4>
                                        : &norm_in_memory;
  const unsigned grid = grid_for_rows(a.capacity, 1, multiprocessors(context));
  launch_overlapped(kernel, {grid, 1, 1}, {static_cast<unsigned>(plan.threads), 1, 1}, partial_bytes, context.stream,
                    a);
}

}  // namespace

extern const Variant kernel_cuda_residual_norm_sm80;
const Variant kernel_cuda_residual_norm_sm80 = {Op::residual_norm, Isa::sm80, "residual_norm.sm80",
                                                nullptr,           nullptr,   run};

}  // namespace graft::kernels
