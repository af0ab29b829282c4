// convert_weights: in one run where rows lie one after another, four elements to a thread where addresses allow it;
// otherwise by tiles of 32 x 32 through shared memory, so that a transposed matrix is read and written along its rows.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/quads.h"
#include "kernels/cuda/rows_plan.h"
#include "kernels/spec/variant.h"
#include "kernels/spec/weights.h"

namespace graft::kernels {
namespace {

using namespace cuda;

constexpr int threads = convert_threads;
constexpr int side = convert_side;

struct Tile {
  float values[side][side + 1];
};
static_assert(sizeof(Tile) == convert_tile_bytes);

template <bool wide>
__global__ void __launch_bounds__(threads) convert_run(ConvertWeightsArgs a) {
  constexpr int64_t step = wide ? 4 : 1;
  const int64_t count = a.rows * a.width, stride = step * threads * gridDim.x;
  for (int64_t i = step * (static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x); i < count; i += stride) {
    if constexpr (wide) {
      const float4 four = load_four(a.x, i, a.x_dtype);
      if (a.out_dtype == DType::float32) {
        store_float4(static_cast<float*>(a.out) + i, four);
      } else {
        const bool brain = a.out_dtype == DType::bfloat16;
        const uint2 bits = {brain ? pack_bfloat16(four.x, four.y) : pack_float16(four.x, four.y),
                            brain ? pack_bfloat16(four.z, four.w) : pack_float16(four.z, four.w)};
        store_8(static_cast<uint16_t*>(a.out) + i, bits);
      }
    } else {
      store_element(a.out, i, a.out_dtype, load_element(a.x, i, a.x_dtype));
    }
  }
}

__global__ void __launch_bounds__(threads) convert_tiles(ConvertWeightsArgs a) {
  auto& tile = *static_cast<Tile*>(dynamic_shared());
  const int lane = static_cast<int>(threadIdx.x) % side, first = static_cast<int>(threadIdx.x) / side;
  const bool along_rows = a.row_stride < a.column_stride;  // neighbours in memory are of different rows
  const int64_t across = (a.width + side - 1) / side, tiles = (a.rows + side - 1) / side * across;
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int64_t row = t / across * side, column = t % across * side;
    for (int other = first; other < side; other += threads / side) {
      const int r = along_rows ? lane : other, c = along_rows ? other : lane;
      if (row + r >= a.rows || column + c >= a.width) continue;
      tile.values[r][c] = load_element(a.x, (row + r) * a.row_stride + (column + c) * a.column_stride, a.x_dtype);
    }
    __syncthreads();
    for (int r = first; r < side; r += threads / side) {
      if (row + r >= a.rows || column + lane >= a.width) continue;
      store_element(a.out, (row + r) * a.width + column + lane, a.out_dtype, tile.values[r][lane]);
    }
    __syncthreads();
  }
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const ConvertWeightsArgs*>(args);
  const int64_t count = a.rows * a.width;
  if (count < 1) return;
  const int32_t processors = multiprocessors(context);
  if (a.column_stride != 1 || (a.row_stride != a.width && a.rows > 1)) {
    const Blocks blocks = convert_tiles_plan(a.rows, a.width, processors);
    launch(&convert_tiles, blocks, context.stream, a);
    return;
  }
  const bool wide = has_quads(a.x, count, a.x_dtype == DType::float32 ? 4 : 2) &&
                    has_quads(a.out, count, a.out_dtype == DType::float32 ? 4 : 2);
  launch(wide ? &convert_run<true> : &convert_run<false>, convert_run_plan(count, wide, processors), context.stream, a);
}

}  // namespace

extern const Variant kernel_cuda_convert_weights_sm80;
const Variant kernel_cuda_convert_weights_sm80 = {
    Op::convert_weights, Isa::sm80, "convert_weights.sm80", nullptr, nullptr, run};

}  // namespace graft::kernels
