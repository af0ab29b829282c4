// linear for up to 8 rows and weights of 16, 8 or 4 bits: bound by reading the weights once, so all is arranged to keep
// many of their bytes on the way and to do little with each.
//
// One block of 16 warps lives on each multiprocessor and takes batches of output groups (linear_gemv_plan.h). Each warp
// has a ring of stages in shared memory, 16 rows of 128 bytes, that cp.async fills without waiting for the other warps;
// the first stages are asked for before the kernel in front has ended. Products are those of the tensor cores, 16 rows
// of weights by 8 columns: for up to 4 rows of x the columns are the nearest 16-bit number of each row and what that
// leaves, for more rows these are two products. So x counts with 16 bits (bfloat16 weights) or 22 (float16, int8, int4,
// whose x is scaled by a power of two to fit), at the cost of rounding it once; the weights are exact. Sums are
// float32, in an order that depends on the shape alone and is the same for each row.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_gemv_stage.h"
#include "kernels/cuda/reduce.h"

namespace graft::kernels::cuda {

constexpr int gemv_threads = 32 * gemv_warps;
constexpr int gemv_warps_shift = 4;
static_assert(1 << gemv_warps_shift == gemv_warps);

/// Where a lane reads next: batch after batch, step after step. It copies 16 bytes of each fourth row of a stage.
struct GemvCursor {
  static constexpr int rows = gemv_outputs / 4;

  int32_t batch;
  int32_t step;
  int32_t segment;  ///< -1: the warp has nothing to read
  int32_t first;    ///< row of the weights
  int32_t last;     ///< existing row of the group; the rest of a group is read as that, and never stored
  const unsigned char* from[rows];
};

template <DType Type, int Stages>
class Gemv {
 public:
  __device__ __forceinline__ Gemv(const LinearArgs& args, const GemvPlan& plan)
      : a(args),
        p(plan),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        split_shift(plan.split_shift),
        depth(static_cast<int32_t>(args.in_features)),
        steps((depth + (step_depth << split_shift) - 1) / (step_depth << split_shift)),
        slot(0) {
    begin(static_cast<int32_t>(blockIdx.x));
    for (int32_t s = 0; s < Stages - 1; ++s) fetch(s);
  }

  /// All batches of this block; every thread calls it. Wide: 5 to 8 rows, else up to 4.
  template <bool Wide>
  __device__ __forceinline__ void run(int32_t rows) {
    const int32_t laid_out = gemv_rows(rows);
    const int32_t fit = static_cast<int32_t>(p.x_bytes) / (4 * laid_out * (step_depth << split_shift));
    const int32_t tile = fit < steps ? fit : steps;  // steps of x that are in shared memory
    if constexpr (!takes_bfloat16<Type>) find_exponents(rows);
    if (tile == steps) stage_x(rows, 0, tile);
    const int32_t column = lane / 4;
    const int32_t row = (Wide ? column : column / 2) % laid_out, part = Wide ? 0 : column % 2;
    const unsigned char* x = x_tile() + (row * row_blocks(tile) + team_warp() * blocks) * x_block_bytes +
                             part * x_part_bytes + lane % 4 * 16;
    int32_t set = 0;
    for (int32_t batch = static_cast<int32_t>(blockIdx.x); batch < p.batches;
         batch += static_cast<int32_t>(gridDim.x)) {
      float sums[Wide ? 2 : 1][4] = {};
      const int32_t stage_shift = stage_shift_of(batch);
      for (int32_t step = 0, in_tile = 0; step < steps; ++step) {
        if (tile != steps && in_tile == 0) {
          __syncthreads();  // all have done with the tile before
          stage_x(rows, step, tile);
        }
        copy_async_wait<Stages - 2>();
        __syncwarp();  // the stage is there for all lanes, and all have done with the one that is filled next
        fetch(slot == 0 ? Stages - 1 : slot - 1);
        gemv_multiply<Type, Wide>(stage_of(slot), x + (in_tile << split_shift) * (blocks * x_block_bytes), stage_shift,
                                  sums);
        slot = slot + 1 == Stages ? 0 : slot + 1;
        in_tile = in_tile + 1 == tile ? 0 : in_tile + 1;
      }
      finish<Wide>(rows, batch, set, sums);
      if (p.partial_sets == 1) {
        __syncthreads();
      } else {
        set ^= 1;
      }
    }
  }

 private:
  static constexpr int per_16 = GemvStage<Type>::per_16, step_depth = GemvStage<Type>::depth;
  static constexpr int blocks = GemvStage<Type>::blocks, x_part_bytes = GemvStage<Type>::x_part_bytes,
                       x_block_bytes = GemvStage<Type>::x_block_bytes;

  __device__ __forceinline__ unsigned char* shared() const { return static_cast<unsigned char*>(dynamic_shared()); }
  // Shared memory: ranges of the rows of x, sums of the warps, the warps' stages, x.
  __device__ __forceinline__ float* ranges() const { return reinterpret_cast<float*>(shared()); }
  __device__ __forceinline__ float* partials(int32_t set) const {
    return reinterpret_cast<float*>(shared() + gemv_range_bytes + set * gemv_partial_bytes);
  }
  __device__ __forceinline__ unsigned char* stage_of(int32_t s) const {
    return reinterpret_cast<unsigned char*>(partials(p.partial_sets)) + (warp * Stages + s) * p.stage_bytes;
  }
  __device__ __forceinline__ unsigned char* x_tile() const {
    return reinterpret_cast<unsigned char*>(partials(p.partial_sets)) + gemv_warps * Stages * p.stage_bytes;
  }
  __device__ __forceinline__ int32_t row_blocks(int32_t tile) const { return (tile << split_shift) * blocks; }

  /// Which of the warps that share a group this one is, and the group.
  __device__ __forceinline__ int32_t team_warp() const { return warp & (p.split - 1); }
  __device__ __forceinline__ OutputTile group_of(int32_t batch) const {
    return output_tile(a, (batch << (gemv_warps_shift - split_shift)) + (warp >> split_shift), gemv_outputs);
  }
  __device__ __forceinline__ int32_t stage_shift_of(int32_t batch) const {
    if constexpr (!is_integer<Type>) return 0;
    const int32_t segment = group_of(batch).segment;
    return segment >= 0 ? p.scales[segment].stage_shift : 0;
  }

  __device__ __forceinline__ void begin(int32_t batch) {
    ahead.batch = batch;
    ahead.step = 0;
    ahead.segment = -1;
    if (batch >= p.batches) return;
    const OutputTile group = group_of(batch);
    ahead.segment = group.segment;
    if (group.segment < 0) return;
    const LinearSegment& segment = a.segments[group.segment];
    ahead.first = static_cast<int32_t>(group.row);
    ahead.last = static_cast<int32_t>(segment.out_features) - 1;
    const int64_t row_bytes = depth / per_16 * 16;
    const auto* weights = static_cast<const unsigned char*>(segment.weight) + lane % 8 * 16;
#pragma unroll
    for (int i = 0; i < GemvCursor::rows; ++i) {
      const int32_t row = ahead.first + 4 * i + lane / 8;
      ahead.from[i] = weights + (row < ahead.last ? row : ahead.last) * row_bytes;
    }
  }

  /// Asks for the weights at the cursor and moves it on. Beyond the depth they become zeros. Always closes a group of
  /// copies, so that waits can count.
  __device__ __forceinline__ void fetch(int32_t s) {
    if (ahead.segment >= 0) {
      unsigned char* to = stage_of(s);
      const int32_t first = ((ahead.step << split_shift) + team_warp()) * step_depth;
      const bool inside = first + lane % 8 * per_16 < depth;
      const int64_t offset = inside ? first / per_16 * 16 : -(lane % 8 * 16);
#pragma unroll
      for (int i = 0; i < GemvCursor::rows; ++i) {
        copy_async_16(to + gemv_place(4 * i + lane / 8, lane % 8), ahead.from[i] + offset, inside ? 16 : 0);
      }
      if constexpr (is_integer<Type>) fetch_scales(to + gemv_outputs * gemv_row_bytes, first);
    }
    copy_async_commit();
    if (++ahead.step == steps) begin(ahead.batch + static_cast<int32_t>(gridDim.x));
  }

  __device__ __forceinline__ void fetch_scales(unsigned char* to, int32_t first) {
    const GemvScales& how = p.scales[ahead.segment];
    const float* from = a.segments[ahead.segment].scales;
    const int32_t number = (first >> how.shift) + (lane & ((1 << how.stage_shift) - 1));
    const bool inside = number < how.of_row;
    for (int32_t i = lane; i < gemv_outputs << how.stage_shift; i += 32) {
      const int32_t row = ahead.first + (i >> how.stage_shift);
      const int64_t at = static_cast<int64_t>(row < ahead.last ? row : ahead.last) * how.of_row;
      copy_async_4(to + 4 * i, from + (inside ? at + number : 0), inside ? 4 : 0);
    }
  }

  /// The powers of two that bring the largest number of each row of x near the top of float16; by all threads.
  __device__ __forceinline__ void find_exponents(int32_t rows) {
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const float* x = a.x + r * a.x_stride;
      float most = 0;
      for (int32_t i = 4 * static_cast<int32_t>(threadIdx.x); i < depth; i += 4 * gemv_threads) {
        most = largest_of(load_float4(x + i), most);
      }
      most = warp_max(most);
      if (lane == 0) ranges()[8 + r * gemv_warps + warp] = most;
    }
    __syncthreads();
    const auto thread = static_cast<int32_t>(threadIdx.x);
    if (thread < rows) {
      float most = 0;
      for (int w = 0; w < gemv_warps; ++w) most = fmaxf(most, ranges()[8 + thread * gemv_warps + w]);
      ranges()[thread] = gemv_factor(most);
    }
    __syncthreads();
  }

  /// Brings `tile` steps of x from `step` on to shared memory; by all threads. Beyond the depth it is zero.
  __device__ __forceinline__ void stage_x(int32_t rows, int32_t step, int32_t tile) {
    const int32_t from = (step << split_shift) * step_depth, eighths = row_blocks(tile) * 4;
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const float factor = takes_bfloat16<Type> ? 1.0f : ranges()[r];
      const float* x = a.x + r * a.x_stride + from;
      for (int32_t i = static_cast<int32_t>(threadIdx.x); i < eighths; i += gemv_threads) {
        unsigned char* block = x_tile() + (r * row_blocks(tile) + i / 4) * x_block_bytes;
        stage_eight<Type>(x + 8 * i, from + 8 * i < depth, factor, block, i % 4);
      }
    }
    __syncthreads();
  }

  /// Sums over the two parts of x and the warps of a group, and writes the outputs of the batch.
  template <bool Wide>
  __device__ __forceinline__ void finish(int32_t rows, int32_t batch, int32_t set,
                                         const float (&sums)[Wide ? 2 : 1][4]) {
    store_sums<Wide>(sums, lane, partials(set) + warp * 8 * gemv_outputs);
    __syncthreads();
    // One output of a group, 16 threads to a row, as many rows as x has.
    const int32_t of_batch = gemv_warps >> split_shift, output = lane % gemv_outputs;
    for (int32_t i = static_cast<int32_t>(threadIdx.x) / gemv_outputs; i < of_batch * rows;
         i += gemv_threads / gemv_outputs) {
      const int32_t group = i & (of_batch - 1), r = i >> (gemv_warps_shift - split_shift);
      const OutputTile at = output_tile(a, batch * of_batch + group, gemv_outputs);
      if (at.segment < 0) continue;
      const LinearSegment& segment = a.segments[at.segment];
      const int64_t row = at.row + output;
      if (row >= segment.out_features) continue;
      const float* from = partials(set) + ((group << split_shift) * 8 + r) * gemv_outputs + output;
      float total = sum_of_warps(from, p.split);
      if constexpr (!takes_bfloat16<Type>) total /= ranges()[r];  // a power of two
      if (segment.bias != nullptr) total += load_element(segment.bias, row, segment.bias_dtype);
      float* out = a.out + r * a.out_stride + at.out_column + row;
      *out = a.accumulate ? *out + total : total;
    }
  }

  const LinearArgs& a;
  const GemvPlan& p;
  const int32_t lane, warp, split_shift, depth, steps;
  int32_t slot;
  GemvCursor ahead;
};

template <DType Type, int Stages>
__global__ void __launch_bounds__(gemv_threads, 1)
    gemv_kernel(const __grid_constant__ LinearArgs a, const __grid_constant__ GemvPlan plan) {
  let_next_kernel_start();
  Gemv<Type, Stages> gemv(a, plan);
  wait_for_previous_kernel();
  const int32_t rows = *a.rows;
  if (rows > 4) {
    gemv.template run<true>(rows);
  } else if (rows > 0) {
    gemv.template run<false>(rows);
  }
  copy_async_wait<0>();  // nothing may arrive for a block that has ended
}

template <DType Type>
void launch_gemv(const LinearArgs& a, const Context& context) {
  const GemvPlan plan = gemv_plan(a, multiprocessors(context), shared_limit());
  if (plan.batches == 0 || a.capacity == 0) return;
  const auto kernel = plan.stages == 4   ? gemv_kernel<Type, 4>
                      : plan.stages == 3 ? gemv_kernel<Type, 3>
                                         : gemv_kernel<Type, 2>;
  launch_overlapped(kernel, {static_cast<unsigned>(plan.grid), 1, 1}, {gemv_threads, 1, 1}, plan.shared_bytes,
                    context.stream, a, plan);
}

}  // namespace graft::kernels::cuda
