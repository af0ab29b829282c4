// linear for whatever the fast kernels leave: rows that are not whole 16 bytes, groups of any size, segments of
// different types. A warp for each output, its lanes along the depth; up to 8 rows of x pass by each weight.
#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_plan.h"
#include "kernels/cuda/linear_weight_at.h"
#include "kernels/cuda/reduce.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int warps = general_warps;
constexpr int rows_at_once = 8;

__global__ void __launch_bounds__(32 * warps) linear_kernel(const __grid_constant__ LinearArgs a, int64_t outputs) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const unsigned lane = threadIdx.x % 32;
  const int64_t rows = *a.rows, stride = static_cast<int64_t>(gridDim.x) * warps;
  for (int64_t o = static_cast<int64_t>(blockIdx.x) * warps + threadIdx.x / 32; o < outputs; o += stride) {
    const OutputTile at = output_tile(a, o, 1);
    const LinearSegment& segment = a.segments[at.segment];
    for (int64_t first = 0; first < rows; first += rows_at_once) {
      const int64_t count = rows - first < rows_at_once ? rows - first : rows_at_once;
      float sums[rows_at_once] = {};
      for (int64_t i = lane; i < a.in_features; i += 32) {
        const float weight = weight_at(segment, a.in_features, at.row, i);
        const float* x = a.x + first * a.x_stride + i;
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) {
          if (r < count) sums[r] += weight * x[r * a.x_stride];
        }
      }
#pragma unroll
      for (int r = 0; r < rows_at_once; ++r) {
        float sum = warp_sum(sums[r]);
        if (lane != 0 || r >= count) continue;
        float* out = a.out + (first + r) * a.out_stride + at.out_column + at.row;
        if (segment.bias != nullptr) sum += load_element(segment.bias, at.row, segment.bias_dtype);
        *out = a.accumulate ? *out + sum : sum;
      }
    }
  }
}

bool accepts(const void* args) { return is_linear_class(args, LinearClass::general); }

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const int64_t outputs = out_features(a);
  if (outputs == 0 || a.capacity == 0) return;
  launch_overlapped(linear_kernel, linear_general_plan(outputs, multiprocessors(context)), context.stream, a, outputs);
}

}  // namespace

extern const Variant kernel_cuda_linear_general_sm80;
const Variant kernel_cuda_linear_general_sm80 = {Op::linear, Isa::sm80, "linear.general.sm80", accepts, nullptr, run};

}  // namespace graft::kernels
