// linear by cuBLASLt: what goes in front of its products, and behind.
//
// The library is told how many rows there are when a step is recorded, so that it multiplies all that the step can
// have. What is in the others is not looked at, and their outputs are nobody's.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_class.h"
#include "kernels/cuda/linear_cublaslt_plan.h"
#include "kernels/spec/variant.h"

namespace graft::kernels::cuda {

/// x as 16-bit numbers, rows one after another: eight by each thread.
template <DType Type>
__global__ void __launch_bounds__(cublaslt_threads) halve_rows(const LinearArgs a, void* to) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * cublaslt_threads + threadIdx.x) * 8;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * cublaslt_threads * 8;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float* x = a.x + row * a.x_stride;
    uint16_t* out = static_cast<uint16_t*>(to) + row * a.in_features;
    for (int64_t i = first; i < a.in_features; i += stride) {
      const float4 low = load_float4(x + i), high = load_float4(x + i + 4);
      store_16(out + i, {pack_x<Type>(low.x, low.y), pack_x<Type>(low.z, low.w), pack_x<Type>(high.x, high.y),
                         pack_x<Type>(high.z, high.w)});
    }
  }
}

/// out[r, :] += bias of the segment, whose first output in row 0 `out` points to.
template <int Threads>
__global__ void __launch_bounds__(Threads)
    add_bias(const int32_t* row_count, const LinearSegment segment, float* out, int64_t out_stride) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *row_count;
  const int64_t output = static_cast<int64_t>(blockIdx.x) * Threads + threadIdx.x;
  if (output >= segment.out_features) return;
  const float bias = load_element(segment.bias, output, segment.bias_dtype);
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) out[row * out_stride + output] += bias;
}

/// A linear on its way to the library: its scratch, and the products of its segments.
class CublasLtLinear {
 public:
  CublasLtLinear(const LinearArgs& a, const Context& context) : a_(a), context_(context), plan_(cublaslt_plan(a)) {
    const auto begin =
        static_cast<uintptr_t>(round_up(static_cast<int64_t>(reinterpret_cast<uintptr_t>(a.scratch)), 256));
    x_ = reinterpret_cast<unsigned char*>(begin);
    weights_ = x_ + plan_.x_bytes;
    workspace_ = weights_ + plan_.weight_bytes;
  }

  const CublasLtPlan& plan() const { return plan_; }
  void* weights() const { return weights_; }

  /// The product of `rows` rows of a segment's weights, from `first` on, which lie at `weight` as 16-bit numbers.
  MatmulArgs product(int32_t segment, const void* weight, int64_t first, int64_t rows) const {
    const bool float16 = a_.segments[0].weight_dtype == DType::float16;
    MatmulArgs made = {};
    made.dtype = float16 ? DType::float16 : DType::bfloat16;
    made.x = x_;
    made.weight = weight;
    made.rows = a_.capacity;
    made.columns = rows;
    made.depth = a_.in_features;
    made.out = out_of(segment) + first;
    made.out_stride = a_.out_stride;
    made.accumulate = a_.accumulate;
    made.workspace = workspace_;
    return made;
  }
  bool serves(const MatmulArgs& product) const { return matmul_serves(context_.library_handle, product); }

  void give_x() const {
    const auto kernel =
        a_.segments[0].weight_dtype == DType::float16 ? &halve_rows<DType::float16> : &halve_rows<DType::bfloat16>;
    launch_overlapped(kernel, halve_rows_plan(a_, multiprocessors(context_)), context_.stream, a_,
                      static_cast<void*>(x_));
  }
  void give(const MatmulArgs& product) const {
    if (matmul(context_.library_handle, product, context_.stream)) return;
    if (kept_launch_error() == cudaSuccess) kept_launch_error() = cudaErrorInvalidValue;
  }
  void give_bias(int32_t s) const {
    const LinearSegment& segment = a_.segments[s];
    if (segment.bias == nullptr || segment.out_features < 1) return;
    launch_overlapped(add_bias<cublaslt_threads>, add_bias_plan(a_, segment.out_features), context_.stream, a_.rows,
                      segment, out_of(s), a_.out_stride);
  }

 private:
  float* out_of(int32_t segment) const {
    float* out = a_.out;
    for (int32_t s = 0; s < segment; ++s) out += a_.segments[s].out_features;
    return out;
  }

  const LinearArgs& a_;
  const Context& context_;
  CublasLtPlan plan_;
  unsigned char* x_;
  unsigned char* weights_;
  unsigned char* workspace_;
};

/// Scratch that serves `variant` as well, which takes over where the library has no algorithm or could not start.
inline int64_t cublaslt_scratch_bytes(const Variant& variant, const void* args, int32_t workers) {
  const int64_t own = cublaslt_plan(*static_cast<const LinearArgs*>(args)).scratch_bytes;
  const int64_t other = variant.scratch_bytes(args, workers);
  return own > other ? own : other;
}

}  // namespace graft::kernels::cuda
