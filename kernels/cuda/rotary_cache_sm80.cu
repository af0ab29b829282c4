// rotary_cache: one warp to a head of a row. The head is normalised into shared memory, turned there, and written back
// (query) or to the cache (key); values go straight to the cache. A norm over the whole projection needs all heads of a
// row first, so there a block takes a row.
#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int warps = rotary_cache_warps;
constexpr int64_t partial_floats = rotary_cache_partial_floats;

__device__ __forceinline__ void write_head(const RotaryCacheArgs& a, void* side, int32_t slot, int32_t head,
                                           const float* from) {
  const PagedCache& cache = a.cache;
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32);
  const int64_t block = slot / cache.block_size, offset = slot % cache.block_size;
  const int64_t at = ((block * cache.kv_heads + head) * cache.block_size + offset) * cache.head_dim;
  for (int32_t i = lane; i < cache.head_dim; i += 32) store_element(side, at + i, cache.dtype, from[i]);
}

__device__ __forceinline__ float inverse_root(const RotaryCacheArgs& a, float squares, int64_t width) {
  return 1.0f / sqrtf(squares / static_cast<float>(width) + a.norm_epsilon);
}

/// Head `unit` of a row, counted over queries, keys, values. `inverse`: of the whole query's or key's norm.
__device__ __forceinline__ void prepare(const RotaryCacheArgs& a, int64_t row, int32_t unit, float inverse,
                                        float* head) {
  const int32_t lane = static_cast<int32_t>(threadIdx.x % 32), dim = a.cache.head_dim, kv_heads = a.cache.kv_heads;
  float* x = a.qkv + row * a.qkv_stride + int64_t{unit} * dim;
  const int32_t slot = a.slots[row];
  const bool is_query = unit < a.heads;
  if (!is_query && slot < 0) return;
  if (unit >= a.heads + kv_heads) return write_head(a, a.cache.value, slot, unit - a.heads - kv_heads, x);

  const int32_t number = is_query ? unit : unit - a.heads;
  const void* weight = is_query ? a.query_norm : a.key_norm;
  if (is_query && weight == nullptr && a.cosine == nullptr) return;
  float squares = 0;
  for (int32_t i = lane; i < dim; i += 32) {
    head[i] = x[i];
    squares += x[i] * x[i];
  }
  if (weight != nullptr) {
    if (!a.norm_whole) inverse = inverse_root(a, warp_sum(squares), dim);
    const int64_t first = a.norm_whole ? int64_t{number} * dim : 0;
    for (int32_t i = lane; i < dim; i += 32) {
      head[i] *= inverse * (a.norm_weight_offset + load_element(weight, first + i, a.norm_dtype));
    }
  }
  __syncwarp();
  if (a.cosine != nullptr) {
    const int32_t pairs = a.rotary_dim / 2;
    for (int32_t i = lane; i < pairs; i += 32) {
      const float cosine = a.cosine[row * pairs + i], sine = a.sine[row * pairs + i];
      const int32_t first = a.interleaved ? 2 * i : i, second = a.interleaved ? 2 * i + 1 : i + pairs;
      const float u = head[first], v = head[second];
      head[first] = u * cosine - v * sine;
      head[second] = v * cosine + u * sine;
    }
    __syncwarp();
  }
  if (!is_query) return write_head(a, a.cache.key, slot, number, head);
  for (int32_t i = lane; i < dim; i += 32) x[i] = head[i];
}

__global__ void __launch_bounds__(32 * warps) prepare_heads(RotaryCacheArgs a) {
  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), units = a.heads + 2 * a.cache.kv_heads;
  float* head = static_cast<float*>(dynamic_shared()) + warp * a.cache.head_dim;
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int64_t count = int64_t{*a.rows} * units;
  for (int64_t i = int64_t{blockIdx.x} * warps + warp; i < count; i += int64_t{gridDim.x} * warps) {
    prepare(a, i / units, static_cast<int32_t>(i % units), 0, head);
    __syncwarp();
  }
}

/// All threads of the block get the norm's factor over `width` elements.
__device__ __forceinline__ float whole_inverse(const RotaryCacheArgs& a, const float* x, int64_t width,
                                               float* partial) {
  float squares = 0;
  for (int64_t i = threadIdx.x; i < width; i += 32 * warps) squares += x[i] * x[i];
  return inverse_root(a, block_sum(squares, partial), width);
}

__global__ void __launch_bounds__(32 * warps) prepare_rows(RotaryCacheArgs a) {
  const int32_t warp = static_cast<int32_t>(threadIdx.x / 32), units = a.heads + 2 * a.cache.kv_heads;
  const int64_t dim = a.cache.head_dim;
  auto* partial = static_cast<float*>(dynamic_shared());
  float* head = partial + partial_floats + warp * dim;
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const float* x = a.qkv + row * a.qkv_stride;
    // Both before any head is changed: block_sum ends with a barrier.
    const float of_query = whole_inverse(a, x, a.heads * dim, partial);
    const float of_key = whole_inverse(a, x + a.heads * dim, a.cache.kv_heads * dim, partial);
    for (int32_t unit = warp; unit < units; unit += warps) {
      prepare(a, row, unit, unit < a.heads ? of_query : of_key, head);
      __syncwarp();
    }
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryCacheArgs*>(args);
  const bool whole = a.norm_whole && (a.query_norm != nullptr || a.key_norm != nullptr);
  const Blocks blocks =
      rotary_cache_plan(a.heads, a.cache.kv_heads, a.cache.head_dim, whole, a.capacity, multiprocessors(context));
  launch_overlapped(whole ? &prepare_rows : &prepare_heads, blocks, context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_rotary_cache_sm80;
const Variant kernel_cuda_rotary_cache_sm80 = {Op::rotary_cache, Isa::sm80, "rotary_cache.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
