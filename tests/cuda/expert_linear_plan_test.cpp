// Launch plans are pure functions of shapes: 200 random ones.
#include "kernels/cuda/expert_linear_plan.h"

#include <numeric>
#include <set>

#include "kernels/spec/route_experts.h"
#include "tests/cuda/launch_limits.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

using namespace cuda;

alignas(16) unsigned char aligned_weights[16];

ExpertLinearArgs random_args(Random& random, DType dtype) {
  ExpertLinearArgs args = {};
  args.capacity = random.in(1, random.coin() ? 8 : 3000);
  args.experts = static_cast<int32_t>(random.in(1, random.coin() ? 8 : 300));
  args.top_k = static_cast<int32_t>(random.in(1, std::min(args.experts, 10)));
  args.in_features = 32 * random.in(1, random.coin() ? 20 : 500);
  args.x_stride = args.in_features;
  args.x = reinterpret_cast<const float*>(aligned_weights);
  args.segment_count = static_cast<int32_t>(random.in(1, 2));
  for (int32_t s = 0; s < args.segment_count; ++s) {
    const int64_t out = random.in(0, random.pick<int64_t>({3, 200, 5000}));
    args.segments[s] = {{aligned_weights, nullptr, dtype, DType::float32, out, nullptr, 64}, out, 1};
  }
  return args;
}

/// Tiles of some step whose rows choose different experts.
int64_t tiles_of_a_step(Random& random, const ExpertLinearArgs& args, int64_t size) {
  std::vector<int64_t> rows(static_cast<size_t>(args.experts));
  std::vector<size_t> experts(rows.size());
  std::iota(experts.begin(), experts.end(), size_t{0});
  const bool favourites = random.coin();
  if (!favourites) {
    // A row to as many experts as there are, then all to the first.
    int64_t left = args.capacity * args.top_k;
    for (int64_t& count : rows) count = left-- > 0 ? 1 : 0;
    for (int64_t& count : rows) {
      const int64_t more = std::clamp<int64_t>(left, 0, args.capacity - count);
      count += more;
      left -= more;
    }
  } else {
    for (int64_t r = 0; r < args.capacity; ++r) {
      std::shuffle(experts.begin(), experts.end(), random.engine);
      for (int32_t s = 0; s < args.top_k; ++s) ++rows[experts[static_cast<size_t>(s)]];
    }
  }
  int64_t tiles = 0;
  for (const int64_t count : rows) tiles += divide_up(count, size);
  return tiles;
}

/// Fails unless tiles of `size` outputs cover each output of each segment once.
void expect_covered(const ExpertLinearArgs& args, int64_t size) {
  int64_t column = 0, tile = 0;
  for (int32_t s = 0; s < args.segment_count; ++s) {
    const int64_t outputs = args.segments[s].matrix.out_features;
    for (int64_t row = 0; row < outputs; row += size) {
      const OutputTile at = expert_output_tile(args, tile++, size);
      EXPECT_EQ(at.segment, s);
      EXPECT_EQ(at.row, row);
      EXPECT_EQ(at.out_column, column);
    }
    column += outputs;
  }
  EXPECT_EQ(expert_output_tiles(args, size), tile);
  EXPECT_EQ(expert_output_tile(args, tile, size).segment, -1);
}

TEST(CudaExpertLinearPlan, Gemv) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const DType dtype = random.pick<DType>({DType::bfloat16, DType::float16, DType::int8, DType::int4});
    ExpertLinearArgs args = random_args(random, dtype);
    for (ExpertSegment& segment : args.segments) segment.matrix.group_size = random.pick<int64_t>({32, 64, 1024});
    const ExpertGemvPlan plan = expert_gemv_plan(args, random.pick<int64_t>({1, 3, 108, 132, 148}));
    EXPECT_LE(plan.shared_bytes, least_shared_limit);
    EXPECT_EQ(plan.shared_bytes, plan.x_bytes + expert_gemv_range_bytes + expert_gemv_partial_bytes +
                                     int64_t{expert_gemv_warps} * expert_gemv_stages * plan.stage_bytes);
    EXPECT_EQ(1 << plan.split_shift, plan.split);
    EXPECT_EQ(expert_gemv_warps % plan.split, 0);
    // The last split has something to read, and a step of x fits for every row count.
    EXPECT_LT(gemv_step(dtype) * (plan.split - 1), args.in_features);
    EXPECT_GE(plan.x_bytes, 4 * gemv_rows(std::min<int64_t>(args.capacity, 8)) * gemv_step(dtype) * plan.split);
    const int64_t groups = expert_output_tiles(args, gemv_outputs), of_block = expert_gemv_warps / plan.split;
    EXPECT_GE(plan.chunks * of_block, groups);
    EXPECT_LT((plan.chunks - 1) * of_block, std::max<int64_t>(groups, 1));
    for (int i = 0; i < 3; ++i) EXPECT_GE(plan.tiles, tiles_of_a_step(random, args, expert_few_rows));
    if (has_few_rows(args)) {
      EXPECT_LE(plan.tiles, 65535);  // the second dimension of a grid
    }
    expect_covered(args, gemv_outputs);
  }
}

TEST(CudaExpertLinearPlan, Gemm) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ExpertLinearArgs args = random_args(random, DType::bfloat16);
    const ExpertGemmPlan plan = expert_gemm_plan(args);
    for (int i = 0; i < 3; ++i) EXPECT_GE(plan.tiles, tiles_of_a_step(random, args, plan.tile_rows));
    EXPECT_LE(plan.tiles, args.capacity * args.top_k);
    EXPECT_LE(plan.tiles * plan.column_tiles, most_across);
    EXPECT_EQ(plan.column_tiles, expert_output_tiles(args, plan.tile_columns));
    expect_covered(args, plan.tile_columns);
  }
}

TEST(CudaExpertLinearPlan, General) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const ExpertLinearArgs args = random_args(random, DType::float32);
    const ExpertGeneralPlan plan = expert_general_plan(args);
    for (int i = 0; i < 3; ++i) EXPECT_GE(plan.tiles, tiles_of_a_step(random, args, expert_few_rows));
    const int64_t outputs = expert_output_tiles(args, 1), warps = plan.chunks * expert_general_warps;
    EXPECT_EQ(plan.chunks > 0, outputs > 0);
    if (outputs == 0) continue;
    expect_launchable(expert_general_blocks(plan));
    expect_once(taken_in_strides(outputs, warps));
    EXPECT_LE((plan.chunks - 1) * expert_general_warps, outputs - 1) << "a block without outputs";
  }
}

// As many positions as are counted in 32 bits, experts and choices as route_experts allows them, and more outputs than
// any model has.
TEST(CudaExpertLinearPlan, TheLargestShapesCanBeLaunched) {
  for (const int32_t top_k : {1, RouteExpertsArgs::max_top_k}) {
    for (const int64_t out : {int64_t{1}, int64_t{1} << 16, int64_t{1} << 30}) {
      ExpertLinearArgs args = {};
      args.top_k = top_k;
      args.capacity = most_rows / top_k;
      args.experts = RouteExpertsArgs::max_experts;
      args.in_features = 128;
      args.segment_count = 1;
      args.segments[0] = {{aligned_weights, nullptr, DType::float32, DType::float32, out, nullptr, 64}, out, 1};
      const ExpertGeneralPlan plan = expert_general_plan(args);
      EXPECT_GE(plan.chunks, 1);
      EXPECT_LE(plan.tiles * plan.chunks, most_across);
      expect_launchable(expert_general_blocks(plan));
      EXPECT_LE(out + plan.chunks * expert_general_warps, most_rows) << "the kernel's loop counts in 32 bits";
    }
  }
}

// One token of Qwen3-30B-A3B on 132 multiprocessors: each has blocks enough to keep its memory busy (32 KiB on the way
// for each).
TEST(CudaExpertLinearPlan, GemvFillsTheDevice) {
  ExpertLinearArgs args = {};
  args.capacity = 1;
  args.experts = 128;
  args.top_k = 8;
  args.segment_count = 1;
  for (const auto& [in, out] : {std::pair{2048, 1536}, std::pair{768, 2048}}) {
    for (const DType dtype : {DType::bfloat16, DType::int4}) {
      args.in_features = in;
      args.segments[0] = {{nullptr, nullptr, dtype, DType::float32, out, nullptr, 128}, out, 1};
      const ExpertGemvPlan plan = expert_gemv_plan(args, 132);
      EXPECT_EQ(plan.tiles, 8);
      EXPECT_GE(plan.tiles * plan.chunks, 3 * 132);
      EXPECT_LE(plan.shared_bytes, 48 * 1024);
    }
  }
}

bool is_integer(DType dtype) { return dtype == DType::int8 || dtype == DType::int4; }

// Each class gets what its kernel can read, and what one can read none else gets.
TEST(CudaExpertLinearPlan, ClassesOfAnyArguments) {
  std::set<ExpertLinearClass> seen;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const DType dtype = random.pick<DType>({DType::float32, DType::bfloat16, DType::float16, DType::int8, DType::int4});
    ExpertLinearArgs args = random_args(random, dtype);
    const auto seldom = [&] { return random.in(0, 9) == 0; };
    bool readable = true;
    for (int32_t s = 0; s < args.segment_count; ++s) {
      LinearSegment& matrix = args.segments[s].matrix;
      matrix.group_size = random.pick<int64_t>({32, 128, 48, 16, 1 << 20});
      if (is_integer(dtype) && matrix.group_size % 32 != 0 && matrix.group_size < args.in_features) readable = false;
      if (!seldom()) continue;
      matrix.weight = aligned_weights + random.in(1, 15);
      readable = false;
    }
    switch (random.in(0, 30)) {
      case 0:
        args.in_features += random.in(1, 3);  // no whole 16 bytes of any type
        break;
      case 1:
        args.x_stride += random.in(1, 3);
        break;
      case 2:
        args.x = reinterpret_cast<const float*>(aligned_weights + 4);
        break;
      case 3:
        args.segment_count = 0;
        break;
      default:
        args.x_stride += 4 * random.in(0, 1);
        break;
    }
    readable = readable && args.in_features % 4 == 0 && args.x_stride % 4 == 0 && args.segment_count > 0 &&
               reinterpret_cast<const unsigned char*>(args.x) == aligned_weights;
    const bool few = args.capacity <= 8 || args.capacity * args.top_k <= 4 * int64_t{args.experts};
    const ExpertLinearClass expected =
        !readable                 ? ExpertLinearClass::general
        : dtype == DType::float32 ? ExpertLinearClass::float32
        : is_integer(dtype)       ? (few ? ExpertLinearClass::gemv_quantized : ExpertLinearClass::gemm_quantized)
                                  : (few ? ExpertLinearClass::gemv : ExpertLinearClass::gemm);
    EXPECT_EQ(expert_linear_class(args), expected);
    seen.insert(expert_linear_class(args));
    EXPECT_EQ(cuda_variants(Op::expert_linear, &args).size(), 1u) << "variants share out the arguments";
  }
  EXPECT_EQ(seen.size(), 6u) << "every class is among them";
}

TEST(CudaExpertLinearPlan, Classes) {
  Random random(1);
  ExpertLinearArgs args = random_args(random, DType::bfloat16);
  args.experts = 16;
  args.top_k = 2;
  args.capacity = 8;
  EXPECT_EQ(expert_linear_class(args), ExpertLinearClass::gemv);
  args.capacity = 32;  // 4 to each
  EXPECT_EQ(expert_linear_class(args), ExpertLinearClass::gemv);
  args.capacity = 33;
  EXPECT_EQ(expert_linear_class(args), ExpertLinearClass::gemm);
  args.in_features += 4;  // rows of 8 bytes more
  EXPECT_EQ(expert_linear_class(args), ExpertLinearClass::general);
  args.in_features -= 4;
  for (const auto& [dtype, expected] : {std::pair{DType::int8, ExpertLinearClass::gemm_quantized},
                                        std::pair{DType::float32, ExpertLinearClass::float32}}) {
    for (ExpertSegment& segment : args.segments) segment.matrix.weight_dtype = dtype;
    EXPECT_EQ(expert_linear_class(args), expected);
  }
  args.segments[0].matrix.weight = aligned_weights + 4;
  EXPECT_EQ(expert_linear_class(args), ExpertLinearClass::general);
}

}  // namespace
}  // namespace graft::kernels::testing
