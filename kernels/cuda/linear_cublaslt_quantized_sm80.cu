// linear, many rows, int8 or int4 weights, where the process has cuBLASLt: linear_cublaslt.h. A part of the weights at
// a time becomes bfloat16, which the product then finds in the level 2 cache.
#include "kernels/cuda/linear_cublaslt.h"
#include "kernels/cuda/linear_weights.h"

namespace graft::kernels {

extern const Variant kernel_cuda_linear_gemm_quantized_sm80;

namespace {

using namespace cuda;

/// Integers in 16 bytes, which share a scale (reads_wide of linear_plan.h).
template <DType Type>
constexpr int integers = Type == DType::int4 ? 32 : 16;

/// Rows of integer weights, as their scales make them, to bfloat16 rows: 16 bytes by each thread.
template <DType Type>
__global__ void __launch_bounds__(cublaslt_threads)
    scale_weights(const LinearSegment segment, int64_t in_features, int32_t shift, int64_t first, int64_t rows,
                  void* to) {
  let_next_kernel_start();
  const int64_t pieces = in_features / integers<Type>;
  const int64_t piece = static_cast<int64_t>(blockIdx.x) * cublaslt_threads + threadIdx.x;
  const int64_t groups = divide_up(in_features, segment.group_size);
  wait_for_previous_kernel();  // the product in front may still read the part before this one
  if (piece >= pieces) return;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const int64_t at = (first + row) * pieces + piece;
    const uint4 packed = load_once_16(static_cast<const unsigned char*>(segment.weight) + 16 * at);
    const float scale = segment.scales[(first + row) * groups + ((piece * integers<Type>) >> shift)];
    uint16_t* out = static_cast<uint16_t*>(to) + row * in_features + piece * integers<Type>;
    const uint32_t words[4] = {packed.x, packed.y, packed.z, packed.w};
    float values[8];
#pragma unroll
    for (int i = 0; i < integers<Type>; i += 8) {
      if constexpr (Type == DType::int4) {
        unpack_int4(words[i / 8], *reinterpret_cast<float(*)[4]>(values));
        unpack_int4(words[i / 8] >> 16, *reinterpret_cast<float(*)[4]>(values + 4));
      } else {
        unpack_int8(words[i / 4], *reinterpret_cast<float(*)[4]>(values));
        unpack_int8(words[i / 4 + 1], *reinterpret_cast<float(*)[4]>(values + 4));
      }
      store_16(
          out + i,
          {pack_bfloat16(values[0] * scale, values[1] * scale), pack_bfloat16(values[2] * scale, values[3] * scale),
           pack_bfloat16(values[4] * scale, values[5] * scale), pack_bfloat16(values[6] * scale, values[7] * scale)});
    }
  }
}

void give_weights(const LinearArgs& a, int32_t s, int64_t first, int64_t rows, void* to, const Context& context) {
  const LinearSegment& segment = a.segments[s];
  const DType dtype = segment.weight_dtype;
  launch_overlapped(dtype == DType::int4 ? &scale_weights<DType::int4> : &scale_weights<DType::int8>,
                    scale_weights_plan(dtype, a.in_features, rows, multiprocessors(context)), context.stream, segment,
                    a.in_features, group_shift(segment.group_size, a.in_features), first, rows, to);
}

/// Calls `use(segment, first row, rows)` for each part of the weights, in order, until it returns false.
template <class Use>
bool for_each_part(const LinearArgs& a, const CublasLtPlan& plan, Use use) {
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const int64_t outputs = a.segments[s].out_features;
    for (int64_t first = 0; first < outputs; first += plan.weight_rows) {
      const int64_t left = outputs - first;
      if (!use(s, first, left < plan.weight_rows ? left : plan.weight_rows)) return false;
    }
  }
  return true;
}

bool accepts(const void* args) { return is_linear_class(args, LinearClass::cublaslt_quantized); }

int64_t scratch_bytes(const void* args, int32_t workers) {
  return cublaslt_scratch_bytes(kernel_cuda_linear_gemm_quantized_sm80, args, workers);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const CublasLtLinear linear(a, context);
  const auto serves = [&](int32_t s, int64_t first, int64_t rows) {
    return linear.serves(linear.product(s, linear.weights(), first, rows));
  };
  if (!for_each_part(a, linear.plan(), serves)) return kernel_cuda_linear_gemm_quantized_sm80.run(args, context);
  linear.give_x();
  for_each_part(a, linear.plan(), [&](int32_t s, int64_t first, int64_t rows) {
    give_weights(a, s, first, rows, linear.weights(), context);
    linear.give(linear.product(s, linear.weights(), first, rows));
    return true;
  });
  for (int32_t s = 0; s < a.segment_count; ++s) linear.give_bias(s);
}

}  // namespace

extern const Variant kernel_cuda_linear_cublaslt_quantized_sm80;
const Variant kernel_cuda_linear_cublaslt_quantized_sm80 = {Op::linear, Isa::sm80,     "linear.cublaslt.quantized.sm80",
                                                            accepts,    scratch_bytes, run};

}  // namespace graft::kernels
