// rotary_table: one thread to an angle, once per step. Phases are float32 as in the reference; sines and cosines are
// the accurate ones, since positions reach hundreds of thousands.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = rotary_table_threads;

__device__ __forceinline__ float frequency_of(const RotaryTableArgs& a, int64_t length, int32_t i) {
  if (length <= a.long_threshold) return a.inverse_frequency[i];
  if (a.dynamic_factor > 0) {
    const double rotary_dim = 2.0 * a.pairs, factor = a.dynamic_factor;
    const double grown = factor * static_cast<double>(length) / static_cast<double>(a.long_threshold) - (factor - 1.0);
    const double base = a.dynamic_base * pow(grown, rotary_dim / (rotary_dim - 2.0));
    const float exponent = static_cast<float>(2 * i) / (2.0f * static_cast<float>(a.pairs));
    return 1.0f / static_cast<float>(pow(base, static_cast<double>(exponent)));
  }
  return a.long_inverse_frequency != nullptr ? a.long_inverse_frequency[i] : a.inverse_frequency[i];
}

__global__ void __launch_bounds__(threads) make_table(RotaryTableArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t count = int64_t{*a.rows} * a.pairs, stride = int64_t{gridDim.x} * threads;
  for (int64_t at = int64_t{blockIdx.x} * threads + threadIdx.x; at < count; at += stride) {
    const int64_t t = at / a.pairs;
    const int64_t length = a.planned_lengths[a.sequence_of[t]];
    const bool is_long = length > a.long_threshold && a.long_inverse_frequency != nullptr && !(a.dynamic_factor > 0);
    const float factor = is_long ? a.long_attention_factor : a.attention_factor;
    const float phase =
        static_cast<float>(a.positions[t]) * frequency_of(a, length, static_cast<int32_t>(at - t * a.pairs));
    a.cosine[at] = cosf(phase) * factor;
    a.sine[at] = sinf(phase) * factor;
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryTableArgs*>(args);
  launch_overlapped(&make_table, rotary_table_plan(a.pairs, a.capacity, multiprocessors(context)), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_rotary_table_sm80;
const Variant kernel_cuda_rotary_table_sm80 = {Op::rotary_table, Isa::sm80, "rotary_table.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
