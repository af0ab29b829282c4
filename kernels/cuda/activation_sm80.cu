// activation: bound by memory, so one pass with 16-byte accesses where rows allow them.
#include "kernels/spec/activation.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = activation_threads;

template <Activation Kind>
__device__ __forceinline__ float activate(float x) {
  if constexpr (Kind == Activation::gelu) return 0.5f * x * (1.0f + erff(x * 0.70710678f));
  if constexpr (Kind == Activation::gelu_tanh) {
    return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
  }
  if constexpr (Kind == Activation::relu) return x < 0 ? 0 : x;
  if constexpr (Kind == Activation::silu) return x / (1.0f + expf(-x));
  if constexpr (Kind == Activation::quick_gelu) return x / (1.0f + expf(-1.702f * x));
  if constexpr (Kind == Activation::tanh) return tanhf(x);
}

template <Activation Kind, bool Gated>
__device__ __forceinline__ float apply(float gate, float up) {
  return Gated ? activate<Kind>(gate) * up : activate<Kind>(gate);
}

template <Activation Kind, bool Gated, bool Wide>
__global__ void __launch_bounds__(threads, 4) activation_kernel(ActivationArgs a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  constexpr int step = Wide ? 4 : 1;
  const int64_t rows = *a.rows, first = (static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x) * step;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * threads * step;
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float* x = a.x + row * a.x_stride;
    float* out = a.out + row * a.out_stride;
    for (int64_t i = first; i < a.width; i += stride) {
      if constexpr (Wide) {
        const float4 gate = load_float4(x + i);
        float4 up = {};
        if constexpr (Gated) up = load_float4(x + a.width + i);
        store_float4(out + i, {apply<Kind, Gated>(gate.x, up.x), apply<Kind, Gated>(gate.y, up.y),
                               apply<Kind, Gated>(gate.z, up.z), apply<Kind, Gated>(gate.w, up.w)});
      } else {
        out[i] = apply<Kind, Gated>(x[i], Gated ? x[a.width + i] : 0.0f);
      }
    }
  }
}

template <Activation Kind>
void start(const ActivationArgs& a, const Context& context) {
  const auto address = reinterpret_cast<uintptr_t>(a.x) | reinterpret_cast<uintptr_t>(a.out);
  const bool wide = ((a.width | a.x_stride | a.out_stride) % 4 | static_cast<int64_t>(address % 16)) == 0;
  const auto kernel = a.gated ? (wide ? &activation_kernel<Kind, true, true> : &activation_kernel<Kind, true, false>)
                              : (wide ? &activation_kernel<Kind, false, true> : &activation_kernel<Kind, false, false>);
  launch_overlapped(kernel, activation_plan(a.width, wide, a.capacity, multiprocessors(context)), context.stream, a);
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ActivationArgs*>(args);
  switch (a.kind) {
    case Activation::gelu:
      return start<Activation::gelu>(a, context);
    case Activation::gelu_tanh:
      return start<Activation::gelu_tanh>(a, context);
    case Activation::relu:
      return start<Activation::relu>(a, context);
    case Activation::silu:
      return start<Activation::silu>(a, context);
    case Activation::quick_gelu:
      return start<Activation::quick_gelu>(a, context);
    case Activation::tanh:
      return start<Activation::tanh>(a, context);
  }
}

}  // namespace

extern const Variant kernel_cuda_activation_sm80;
const Variant kernel_cuda_activation_sm80 = {Op::activation, Isa::sm80, "activation.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
