// expert_linear for experts with few rows each and weights of 16, 8 or 4 bits: only the weights of experts that have
// rows are read, once for each 8 rows.
//
// A block of four warps takes some outputs of up to 8 rows of one expert. Each warp has a ring of stages in shared
// memory that cp.async fills, as linear_gemv.h has, with the same products and the same precision; the first stages are
// on the way while the rows of x are brought to shared memory. Which expert it is, is found when the kernel before has
// ended, so nothing is read earlier. Sums are float32, in an order that depends on the shape alone.
#pragma once

#include "kernels/cuda/convert.h"
#include "kernels/cuda/expert_linear_plan.h"
#include "kernels/cuda/expert_tiles.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/linear_gemv_stage.h"

namespace graft::kernels::cuda {

constexpr int expert_gemv_threads = 32 * expert_gemv_warps;
constexpr int expert_gemv_warps_shift = 2;
static_assert(1 << expert_gemv_warps_shift == expert_gemv_warps && 1 << 3 == expert_few_rows);

template <DType Type>
class ExpertGemv {
 public:
  __device__ __forceinline__ ExpertGemv(const ExpertLinearArgs& args, const ExpertGemvPlan& plan,
                                        const ExpertTile& tile, int32_t chunk_of_tile)
      : a(args),
        p(plan),
        at(tile),
        chunk(chunk_of_tile),
        lane(static_cast<int32_t>(threadIdx.x % 32)),
        warp(static_cast<int32_t>(threadIdx.x / 32)),
        split_shift(plan.split_shift),
        depth(static_cast<int32_t>(args.in_features)),
        steps((depth + (Stage::depth << split_shift) - 1) / (Stage::depth << split_shift)) {
    begin();
    for (int32_t s = 0; s < stages - 1; ++s) fetch(s);
  }

  /// Wide: 5 to 8 rows, else up to 4. Every thread calls it.
  template <bool Wide>
  __device__ __forceinline__ void run() {
    const int32_t laid_out = gemv_rows(at.rows);
    const int32_t fit = static_cast<int32_t>(p.x_bytes) / (4 * laid_out * (Stage::depth << split_shift));
    const int32_t tile = fit < steps ? fit : steps;  // steps of x that are in shared memory
    if constexpr (!takes_bfloat16<Type>) find_exponents(laid_out);
    const int32_t column = lane / 4;
    const int32_t row = (Wide ? column : column / 2) % laid_out, part = Wide ? 0 : column % 2;
    const unsigned char* x = x_tile() + (row * row_blocks(tile) + team_warp() * Stage::blocks) * Stage::x_block_bytes +
                             part * Stage::x_part_bytes + lane % 4 * 16;
    const int32_t stage_shift = is_integer<Type> && segment >= 0 ? p.scales[segment].stage_shift : 0;
    float sums[Wide ? 2 : 1][4] = {};
    for (int32_t step = 0, in_tile = 0, slot = 0; step < steps; ++step) {
      if (in_tile == 0) {
        if (step > 0) __syncthreads();  // all have done with the tile before
        stage_x(laid_out, step, tile);
      }
      copy_async_wait<stages - 2>();
      __syncwarp();  // the stage is there for all lanes, and all have done with the one that is filled next
      fetch(slot == 0 ? stages - 1 : slot - 1);
      gemv_multiply<Type, Wide>(stage_of(slot), x + (in_tile << split_shift) * (Stage::blocks * Stage::x_block_bytes),
                                stage_shift, sums);
      slot = slot + 1 == stages ? 0 : slot + 1;
      in_tile = in_tile + 1 == tile ? 0 : in_tile + 1;
    }
    copy_async_wait<0>();  // nothing may arrive for a block that has ended
    finish<Wide>(sums);
  }

 private:
  using Stage = GemvStage<Type>;
  static constexpr int stages = expert_gemv_stages, reads = gemv_outputs / 4;

  // Shared memory: ranges of the rows of x, sums of the warps, the warps' stages, x.
  __device__ __forceinline__ float* ranges() const { return static_cast<float*>(dynamic_shared()); }
  __device__ __forceinline__ float* partials() const { return ranges() + expert_gemv_range_bytes / 4; }
  __device__ __forceinline__ unsigned char* first_stage() const {
    return reinterpret_cast<unsigned char*>(partials()) + expert_gemv_partial_bytes;
  }
  __device__ __forceinline__ unsigned char* stage_of(int32_t s) const {
    return first_stage() + (warp * stages + s) * p.stage_bytes;
  }
  __device__ __forceinline__ unsigned char* x_tile() const {
    return first_stage() + expert_gemv_warps * stages * p.stage_bytes;
  }
  __device__ __forceinline__ int32_t row_blocks(int32_t tile) const { return (tile << split_shift) * Stage::blocks; }
  __device__ __forceinline__ int32_t team_warp() const { return warp & (p.split - 1); }
  __device__ __forceinline__ OutputTile group_of(int32_t group) const {
    return expert_output_tile(a, (chunk << (expert_gemv_warps_shift - split_shift)) + group, gemv_outputs);
  }
  /// Row of the segment's weights for an output of this block's expert.
  __device__ __forceinline__ int64_t weight_row(const ExpertSegment& of, int64_t output) const {
    return at.expert * of.expert_rows + output * of.row_step;
  }

  /// Where this lane reads: 16 bytes of each fourth row. The rest of a group is read as the last output, never stored.
  __device__ __forceinline__ void begin() {
    const OutputTile group = group_of(warp >> split_shift);
    segment = group.segment;
    if (segment < 0) return;
    const ExpertSegment& of = a.segments[segment];
    first = static_cast<int32_t>(group.row);
    last = static_cast<int32_t>(of.matrix.out_features) - 1;
    const int64_t row_bytes = depth / Stage::per_16 * 16;
    const auto* weights = static_cast<const unsigned char*>(of.matrix.weight) + lane % 8 * 16;
#pragma unroll
    for (int i = 0; i < reads; ++i) {
      from[i] = weights + weight_row(of, min(first + 4 * i + lane / 8, last)) * row_bytes;
    }
  }

  /// Asks for the next weights; beyond the depth they become zeros. Always closes a group of copies, so that waits can
  /// count.
  __device__ __forceinline__ void fetch(int32_t s) {
    if (segment >= 0 && ahead < steps) {
      unsigned char* to = stage_of(s);
      const int32_t begin_depth = ((ahead << split_shift) + team_warp()) * Stage::depth;
      const bool inside = begin_depth + lane % 8 * Stage::per_16 < depth;
      const int64_t offset = inside ? begin_depth / Stage::per_16 * 16 : -(lane % 8 * 16);
#pragma unroll
      for (int i = 0; i < reads; ++i) {
        copy_async_16(to + gemv_place(4 * i + lane / 8, lane % 8), from[i] + offset, inside ? 16 : 0);
      }
      if constexpr (is_integer<Type>) fetch_scales(to + gemv_outputs * gemv_row_bytes, begin_depth);
    }
    copy_async_commit();
    ++ahead;
  }

  __device__ __forceinline__ void fetch_scales(unsigned char* to, int32_t begin_depth) {
    const GemvScales& how = p.scales[segment];
    const ExpertSegment& of = a.segments[segment];
    const int32_t number = (begin_depth >> how.shift) + (lane & ((1 << how.stage_shift) - 1));
    const bool inside = number < how.of_row;
    for (int32_t i = lane; i < gemv_outputs << how.stage_shift; i += 32) {
      const int64_t row = weight_row(of, min(first + (i >> how.stage_shift), last)) * how.of_row;
      copy_async_4(to + 4 * i, of.matrix.scales + (inside ? row + number : 0), inside ? 4 : 0);
    }
  }

  /// Rows of x are dealt to as many parts of the block as there are rows, up to one for each warp.
  struct Share {
    int32_t row, rows;        ///< the first, and from one to the next
    int32_t thread, threads;  ///< of those that share a row
  };
  __device__ __forceinline__ Share share(int32_t laid_out) const {
    const int32_t rows = min(laid_out, expert_gemv_warps), threads = expert_gemv_threads / rows;
    const auto thread = static_cast<int32_t>(threadIdx.x);
    return {thread / threads, rows, thread % threads, threads};
  }
  __device__ __forceinline__ const float* row_of_x(int32_t row) const {
    return a.x + expert_x_row(a, at.first + row) * a.x_stride;
  }

  /// The powers of two that bring the largest number of each row of x near the top of float16.
  __device__ __forceinline__ void find_exponents(int32_t laid_out) {
    const Share mine = share(laid_out);
    const int32_t of_row = expert_gemv_warps / mine.rows;  // warps
    for (int32_t r = mine.row; r < at.rows; r += mine.rows) {
      const float* x = row_of_x(r);
      float most = 0;
#pragma unroll 2
      for (int32_t i = 4 * mine.thread; i < depth; i += 4 * mine.threads) {
        most = largest_of(load_float4(x + i), most);
      }
      most = warp_max(most);
      if (lane == 0) ranges()[8 + r * expert_gemv_warps + warp % of_row] = most;
    }
    __syncthreads();
    const auto thread = static_cast<int32_t>(threadIdx.x);
    if (thread < at.rows) {
      float most = 0;
      for (int32_t w = 0; w < of_row; ++w) most = fmaxf(most, ranges()[8 + thread * expert_gemv_warps + w]);
      ranges()[thread] = gemv_factor(most);
    }
    __syncthreads();
  }

  /// Brings `tile` steps of x from `step` on to shared memory. Beyond the depth it is zero.
  __device__ __forceinline__ void stage_x(int32_t laid_out, int32_t step, int32_t tile) {
    const Share mine = share(laid_out);
    const int32_t begin_depth = (step << split_shift) * Stage::depth, eighths = row_blocks(tile) * 4;
    for (int32_t r = mine.row; r < at.rows; r += mine.rows) {
      const float factor = takes_bfloat16<Type> ? 1.0f : ranges()[r];
      const float* x = row_of_x(r) + begin_depth;
#pragma unroll 2
      for (int32_t i = mine.thread; i < eighths; i += mine.threads) {
        unsigned char* block = x_tile() + (r * row_blocks(tile) + i / 4) * Stage::x_block_bytes;
        stage_eight<Type>(x + 8 * i, begin_depth + 8 * i < depth, factor, block, i % 4);
      }
    }
    __syncthreads();
  }

  /// Sums over the two parts of x and the warps of a group, and writes the outputs.
  template <bool Wide>
  __device__ __forceinline__ void finish(const float (&sums)[Wide ? 2 : 1][4]) {
    store_sums<Wide>(sums, lane, partials() + warp * 8 * gemv_outputs);
    __syncthreads();
    const int32_t groups = expert_gemv_warps >> split_shift, output = lane % gemv_outputs;
    for (int32_t i = static_cast<int32_t>(threadIdx.x) / gemv_outputs; i < groups * at.rows;
         i += expert_gemv_threads / gemv_outputs) {
      const int32_t group = i & (groups - 1), r = i >> (expert_gemv_warps_shift - split_shift);
      const OutputTile place = group_of(group);
      if (place.segment < 0) continue;
      const ExpertSegment& of = a.segments[place.segment];
      const int64_t row = place.row + output;
      if (row >= of.matrix.out_features) continue;
      const float* parts = partials() + ((group << split_shift) * 8 + r) * gemv_outputs + output;
      float total = sum_of_warps(parts, p.split);
      if constexpr (!takes_bfloat16<Type>) total /= ranges()[r];  // a power of two
      total *= expert_scale(a, at.first + r);
      if (of.matrix.bias != nullptr) total += load_element(of.matrix.bias, weight_row(of, row), of.matrix.bias_dtype);
      a.out[(at.first + r) * a.out_stride + place.out_column + row] = total;
    }
  }

  const ExpertLinearArgs& a;
  const ExpertGemvPlan& p;
  const ExpertTile& at;
  const int32_t chunk, lane, warp, split_shift, depth, steps;
  int32_t ahead = 0;  ///< steps asked for
  int32_t segment, first = 0, last = 0;
  const unsigned char* from[reads];
};

template <DType Type>
__global__ void __launch_bounds__(expert_gemv_threads, 4)
    expert_gemv_kernel(const __grid_constant__ ExpertLinearArgs a, const __grid_constant__ ExpertGemvPlan plan) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const ExpertTile tile = find_expert_tile(a, 3, static_cast<int32_t>(blockIdx.y));
  if (tile.rows == 0) return;
  ExpertGemv<Type> gemv(a, plan, tile, static_cast<int32_t>(blockIdx.x));
  if (tile.rows > 4) {
    gemv.template run<true>();
  } else {
    gemv.template run<false>();
  }
}

template <DType Type>
void launch_expert_gemv(const ExpertLinearArgs& a, const Context& context) {
  const ExpertGemvPlan plan = expert_gemv_plan(a, multiprocessors(context));
  if (plan.tiles * plan.chunks == 0) return;
  launch_overlapped(expert_gemv_kernel<Type>,
                    {static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.tiles), 1},
                    {expert_gemv_threads, 1, 1}, plan.shared_bytes, context.stream, a, plan);
}

}  // namespace graft::kernels::cuda
