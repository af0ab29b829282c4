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
#include "kernels/cuda/linear_gemv_plan.h"
#include "kernels/cuda/linear_halves.h"
#include "kernels/cuda/reduce.h"

namespace graft::kernels::cuda {

constexpr int gemv_threads = 32 * gemv_warps;

/// Where a warp reads: batch after batch, step after step.
struct GemvCursor {
  int32_t batch;
  int32_t step;
  int32_t rows;          ///< of the weights that exist, from the first of the group on; 0: no such group
  int32_t shift;         ///< of a depth to its scale
  int32_t scales_shift;  ///< log2 of the scales of a row in a stage
  const unsigned char* weights;
  const float* scales;
};

/// The power of two that brings `most`, the largest number of a row, near the top of float16.
__device__ __forceinline__ float gemv_factor(float most) {
  const auto exponent = static_cast<int32_t>(__float_as_uint(most) >> 23) - 127;  // 128: not finite, and stays so
  const int32_t up = exponent == 128 ? 0 : 14 - (exponent < -80 ? -80 : exponent);
  return __uint_as_float(static_cast<uint32_t>(up + 127) << 23);
}

template <DType Type, int Stages>
class Gemv {
 public:
  __device__ __forceinline__ Gemv(const LinearArgs& args, const GemvPlan& plan)
      : a(args),
        p(plan),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        depth(static_cast<int32_t>(args.in_features)),
        steps(static_cast<int32_t>(divide_up(args.in_features, step_depth * plan.split))),
        slot(0) {
    begin(static_cast<int32_t>(blockIdx.x));
    for (int32_t s = 0; s < Stages - 1; ++s) fetch(s);
  }

  /// All batches of this block; every thread calls it. Wide: 5 to 8 rows, else up to 4.
  template <bool Wide>
  __device__ __forceinline__ void run(int32_t rows) {
    const int32_t laid_out = gemv_rows(rows);
    const int32_t fit = static_cast<int32_t>(p.x_bytes / (int64_t{4} * laid_out * step_depth * p.split));
    const int32_t tile = fit < steps ? fit : steps;  // steps of x that are in shared memory
    if constexpr (!takes_bfloat16<Type>) find_exponents(rows);
    if (tile == steps) stage_x(rows, 0, tile);
    const int32_t column = lane / 4;
    const int32_t my_row = (Wide ? column : column / 2) % laid_out, my_part = Wide ? 0 : column % 2;
    for (int32_t batch = static_cast<int32_t>(blockIdx.x); batch < p.batches;
         batch += static_cast<int32_t>(gridDim.x)) {
      float sums[Wide ? 2 : 1][4] = {};
      const int32_t scales_shift = scales_shift_of(batch);
      for (int32_t step = 0, in_tile = 0; step < steps; ++step) {
        if (tile != steps && in_tile == 0) {
          __syncthreads();  // all have done with the tile before
          stage_x(rows, step, tile);
        }
        copy_async_wait<Stages - 2>();
        __syncwarp();  // the stage is there for all lanes, and all have done with the one that is filled next
        fetch(slot == 0 ? Stages - 1 : slot - 1);
        const int32_t block = (in_tile * p.split + warp % p.split) * (step_depth / half_block);
        const unsigned char* x = x_tile() + (my_row * row_blocks(tile) + block) * x_block_bytes;
        multiply<Wide>(x + my_part * x_part_bytes, scales_shift, sums);
        slot = slot + 1 == Stages ? 0 : slot + 1;
        in_tile = in_tile + 1 == tile ? 0 : in_tile + 1;
      }
      finish<Wide>(rows, batch, sums);
    }
  }

 private:
  static constexpr int per_16 = Type == DType::int4 ? 32 : Type == DType::int8 ? 16 : 8;  ///< weights
  static constexpr int step_depth = gemv_row_bytes / 16 * per_16;
  static constexpr int blocks = step_depth / half_block;  ///< of a stage
  static constexpr int x_part_bytes = 2 * half_block, x_block_bytes = 2 * x_part_bytes;

  __device__ __forceinline__ unsigned char* shared() const { return static_cast<unsigned char*>(dynamic_shared()); }
  // Shared memory: sums of the warps, ranges of the rows of x, the warps' stages, x.
  static constexpr int first_stage = gemv_partial_bytes + gemv_range_bytes;
  __device__ __forceinline__ float* partials() const { return reinterpret_cast<float*>(shared()); }
  __device__ __forceinline__ float* ranges() const { return reinterpret_cast<float*>(shared() + gemv_partial_bytes); }
  __device__ __forceinline__ unsigned char* stage_of(int32_t s) const {
    return shared() + first_stage + (warp * Stages + s) * p.stage_bytes;
  }
  __device__ __forceinline__ unsigned char* x_tile() const {
    return shared() + first_stage + gemv_warps * Stages * p.stage_bytes;
  }
  __device__ __forceinline__ int32_t row_blocks(int32_t tile) const { return tile * p.split * blocks; }

  __device__ __forceinline__ OutputTile tile_of(int32_t batch) const {
    return output_tile(a, int64_t{batch} * (gemv_warps / p.split) + warp / p.split, gemv_outputs);
  }
  __device__ __forceinline__ int32_t scales_shift_of(const LinearSegment& segment) const {
    return is_integer<Type> ? __ffs(gemv_scales(Type, segment.group_size, depth)) - 1 : 0;
  }
  __device__ __forceinline__ int32_t scales_shift_of(int32_t batch) const {
    const OutputTile tile = tile_of(batch);
    return tile.segment >= 0 ? scales_shift_of(a.segments[tile.segment]) : 0;
  }

  __device__ __forceinline__ void begin(int32_t batch) {
    ahead = {};
    ahead.batch = batch;
    if (batch >= p.batches) return;
    const OutputTile tile = tile_of(batch);
    if (tile.segment < 0) return;
    const LinearSegment& segment = a.segments[tile.segment];
    const int64_t left = segment.out_features - tile.row;
    ahead.rows = static_cast<int32_t>(left < gemv_outputs ? left : gemv_outputs);
    ahead.weights = static_cast<const unsigned char*>(segment.weight) + tile.row * row_bytes();
    if constexpr (is_integer<Type>) {
      ahead.shift = group_shift(segment.group_size, depth);
      ahead.scales_shift = scales_shift_of(segment);
      ahead.scales = segment.scales + tile.row * scales_of_row(ahead.shift);
    }
  }

  __device__ __forceinline__ int64_t row_bytes() const { return static_cast<int64_t>(depth) / per_16 * 16; }
  __device__ __forceinline__ int32_t scales_of_row(int32_t shift) const {
    return static_cast<int32_t>((static_cast<int64_t>(depth) - 1) >> shift) + 1;
  }

  /// Asks for the weights at the cursor and moves it on. What does not exist becomes zeros. Always closes a group of
  /// copies, so that waits can count.
  __device__ __forceinline__ void fetch(int32_t s) {
    if (ahead.rows > 0) {
      unsigned char* to = stage_of(s);
      const int32_t first = (ahead.step * p.split + warp % p.split) * step_depth, piece = lane % 8;
      const bool inside = first + piece * per_16 < depth;
      const unsigned char* from = ahead.weights + static_cast<int64_t>(first / per_16 + piece) * 16;
#pragma unroll
      for (int i = 0; i < gemv_outputs / 4; ++i) {
        const int32_t row = 4 * i + lane / 8;
        const bool there = inside && row < ahead.rows;
        copy_async_16(to + place(row, piece), there ? from + row * row_bytes() : ahead.weights, there ? 16 : 0);
      }
      if constexpr (is_integer<Type>) fetch_scales(to + gemv_outputs * gemv_row_bytes, first);
    }
    copy_async_commit();
    if (++ahead.step == steps) begin(ahead.batch + static_cast<int32_t>(gridDim.x));
  }

  __device__ __forceinline__ void fetch_scales(unsigned char* to, int32_t first) {
    const int32_t of_row = scales_of_row(ahead.shift), of_stage = 1 << ahead.scales_shift;
    const auto group = static_cast<int32_t>(static_cast<int64_t>(first) >> ahead.shift);
    for (int32_t i = lane; i < gemv_outputs << ahead.scales_shift; i += 32) {
      const int32_t row = i >> ahead.scales_shift, number = group + (i & (of_stage - 1));
      const bool there = row < ahead.rows && number < of_row;
      copy_async_4(to + 4 * i, there ? ahead.scales + static_cast<int64_t>(row) * of_row + number : ahead.scales,
                   there ? 4 : 0);
    }
  }

  /// Where 16 bytes of a row lie in a stage: turned, so that the same piece of 8 rows lies on different banks.
  __device__ __forceinline__ static int32_t place(int32_t row, int32_t piece) {
    return row * gemv_row_bytes + (piece ^ row % 8) * 16;
  }

  /// The powers of two that bring the largest number of each row of x near the top of float16; by all threads.
  __device__ __forceinline__ void find_exponents(int32_t rows) {
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const float* x = a.x + r * a.x_stride;
      float most = 0;
      for (int32_t i = 4 * static_cast<int32_t>(threadIdx.x); i < depth; i += 4 * gemv_threads) {
        const float4 v = load_float4(x + i);
        most = fmaxf(fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w))), most);
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
    const int32_t from = step * p.split * step_depth, eighths = row_blocks(tile) * 4;
#pragma unroll 1
    for (int r = 0; r < rows; ++r) {
      const float factor = takes_bfloat16<Type> ? 1.0f : ranges()[r];
      const float* x = a.x + r * a.x_stride + from;
      for (int32_t i = static_cast<int32_t>(threadIdx.x); i < eighths; i += gemv_threads) {
        float values[8] = {};
        if (from + 8 * i < depth) {
          const float4 u = load_float4(x + 8 * i), v = load_float4(x + 8 * i + 4);
          const float loaded[8] = {u.x, u.y, u.z, u.w, v.x, v.y, v.z, v.w};
#pragma unroll
          for (int j = 0; j < 8; ++j) values[j] = loaded[j] * factor;
        }
        unsigned char* high = x_tile() + (r * row_blocks(tile) + i / 4) * x_block_bytes;
        store_halves<Type>(high, high + x_part_bytes, i % 4, values);
      }
    }
    __syncthreads();
  }

  /// One stage of weights times x, of which this lane's row and part begin at `x`.
  template <bool Wide>
  __device__ __forceinline__ void multiply(const unsigned char* x, int32_t scales_shift,
                                           float (&sums)[Wide ? 2 : 1][4]) {
    constexpr int words = words_of_block<Type>, parts = Wide ? 2 : 1;
    const unsigned char* stage = stage_of(slot);
    const auto* scales = reinterpret_cast<const float*>(stage + gemv_outputs * gemv_row_bytes);
    const int32_t g = lane / 4, q = lane % 4, blocks_of_scale = blocks >> scales_shift;
    float inner[parts][4] = {};
#pragma unroll
    for (int b = 0; b < blocks; ++b) {
      uint32_t word[2][words], pairs[2][4];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
#pragma unroll
        for (int w = 0; w < words; ++w) word[half][w] = load_4(stage + place(g + 8 * half, b * words + w) + 4 * q);
        pairs_of_block<Type>(word[half], pairs[half]);
      }
#pragma unroll
      for (int part = 0; part < parts; ++part) {
        const uint4 v = load_16(x + b * x_block_bytes + part * x_part_bytes + 16 * q);
        const uint32_t first[4] = {pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]};
        const uint32_t second[4] = {pairs[0][2], pairs[1][2], pairs[0][3], pairs[1][3]};
        float(&to)[4] = is_integer<Type> ? inner[part] : sums[part];
        multiply_halves<Type>(to, first, v.x, v.y);
        multiply_halves<Type>(to, second, v.z, v.w);
      }
      if constexpr (is_integer<Type>) {
        if ((b + 1) % blocks_of_scale != 0) continue;
        const int32_t number = b / blocks_of_scale;
        const float upper = scales[(g << scales_shift) + number], lower = scales[((g + 8) << scales_shift) + number];
#pragma unroll
        for (int part = 0; part < parts; ++part) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            sums[part][i] = __fmaf_rn(i < 2 ? upper : lower, inner[part][i], sums[part][i]);
            inner[part][i] = 0;
          }
        }
      }
    }
  }

  /// Sums over the two parts of x and the warps of a group, and writes the outputs of the batch.
  template <bool Wide>
  __device__ __forceinline__ void finish(int32_t rows, int32_t batch, const float (&sums)[Wide ? 2 : 1][4]) {
    const int32_t g = lane / 4, q = lane % 4;
    float* mine = partials() + warp * 8 * gemv_outputs;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if constexpr (Wide) {
        mine[2 * q * gemv_outputs + g + 8 * half] = sums[0][2 * half] + sums[1][2 * half];
        mine[(2 * q + 1) * gemv_outputs + g + 8 * half] = sums[0][2 * half + 1] + sums[1][2 * half + 1];
      } else {
        mine[q * gemv_outputs + g + 8 * half] = sums[0][2 * half] + sums[0][2 * half + 1];
      }
    }
    __syncthreads();
    const int32_t groups = gemv_warps / p.split;
    for (int32_t i = static_cast<int32_t>(threadIdx.x); i < groups * rows * gemv_outputs; i += gemv_threads) {
      const int32_t output = i % gemv_outputs, r = i / gemv_outputs % rows, group = i / gemv_outputs / rows;
      const OutputTile at = output_tile(a, int64_t{batch} * groups + group, gemv_outputs);
      if (at.segment < 0) continue;
      const LinearSegment& segment = a.segments[at.segment];
      const int64_t row = at.row + output;
      if (row >= segment.out_features) continue;
      float total = 0;
      for (int32_t w = 0; w < p.split; ++w) {
        total += partials()[((group * p.split + w) * 8 + r) * gemv_outputs + output];
      }
      if constexpr (!takes_bfloat16<Type>) total /= ranges()[r];  // a power of two
      if (segment.bias != nullptr) total += load_element(segment.bias, row, segment.bias_dtype);
      float* out = a.out + r * a.out_stride + at.out_column + row;
      *out = a.accumulate ? *out + total : total;
    }
    __syncthreads();  // the sums of the next batch go to the same place
  }

  const LinearArgs& a;
  const GemvPlan& p;
  const int32_t lane, warp, depth, steps;
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
