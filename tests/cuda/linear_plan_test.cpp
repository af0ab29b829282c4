// Launch plans are pure functions of shapes: 200 random ones.
#include "kernels/cuda/linear_cublaslt_plan.h"
#include "kernels/cuda/linear_gemv_plan.h"

#include <array>
#include <bit>
#include <map>

#include "tests/cuda/launch_limits.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

using namespace cuda;

alignas(16) unsigned char aligned_weights[16];

LinearArgs random_args(Random& random, DType dtype, int64_t capacity) {
  LinearArgs args = {};
  args.capacity = capacity;
  args.in_features = 32 * random.in(1, random.coin() ? 20 : 2000);
  args.x_stride = args.in_features;
  args.x = reinterpret_cast<const float*>(aligned_weights);
  args.segment_count = static_cast<int32_t>(random.in(1, 3));
  for (int32_t s = 0; s < args.segment_count; ++s) {
    const int64_t out = random.in(0, random.pick<int64_t>({3, 200, 5000}));
    args.segments[s] = {aligned_weights, nullptr, dtype, DType::float32, out, nullptr, 64};
  }
  return args;
}

/// Fails unless tiles of `size` outputs cover each output of each segment once.
void expect_covered(const LinearArgs& args, int64_t tiles, int64_t size) {
  std::map<std::pair<int32_t, int64_t>, int> times;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const OutputTile at = output_tile(args, tile, size);
    ASSERT_GE(at.segment, 0);
    int64_t column = 0;
    for (int32_t s = 0; s < at.segment; ++s) column += args.segments[s].out_features;
    EXPECT_EQ(at.out_column, column);
    const int64_t outputs = args.segments[at.segment].out_features;
    for (int64_t row = at.row; row < std::min(at.row + size, outputs); ++row) ++times[{at.segment, row}];
  }
  EXPECT_EQ(static_cast<int64_t>(times.size()), out_features(args));
  for (const auto& [output, count] : times) EXPECT_EQ(count, 1);
  EXPECT_EQ(output_tile(args, tiles, size).segment, -1);
}

int32_t warps_of(DType dtype) { return dtype == DType::float32 ? gemv_float32_warps : gemv_warps; }
int32_t outputs_of(DType dtype) { return dtype == DType::float32 ? gemv_float32_outputs : gemv_outputs; }
int64_t step_of(DType dtype) { return dtype == DType::float32 ? gemv_float32_step : gemv_step(dtype); }
GemvPlan plan_of(const LinearArgs& args, int64_t multiprocessors, int64_t limit) {
  return args.segments[0].weight_dtype == DType::float32 ? gemv_float32_plan(args, multiprocessors, limit)
                                                         : gemv_plan(args, multiprocessors, limit);
}

TEST(CudaLinearPlan, Gemv) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const DType dtype = random.pick<DType>({DType::float32, DType::bfloat16, DType::int8, DType::int4});
    LinearArgs args = random_args(random, dtype, random.in(1, 8));
    for (LinearSegment& segment : args.segments) segment.group_size = random.pick<int64_t>({32, 64, 1024, 100000});
    const int64_t multiprocessors = random.pick<int64_t>({1, 3, 108, 132, 148});
    const int64_t limit = random.pick<int64_t>({101376, 166912, 232448});
    const GemvPlan plan = plan_of(args, multiprocessors, limit);
    EXPECT_LE(plan.shared_bytes, limit);
    const int64_t beside = dtype == DType::float32 ? gemv_float32_partial_bytes
                                                   : plan.partial_sets * gemv_partial_bytes + gemv_range_bytes;
    EXPECT_EQ(plan.shared_bytes, plan.x_bytes + beside + int64_t{gemv_warps} * plan.stages * plan.stage_bytes);
    EXPECT_EQ(plan.stages == 0, dtype == DType::float32);
    EXPECT_EQ(warps_of(dtype) % plan.split, 0);
    EXPECT_LE(plan.grid, multiprocessors);
    EXPECT_EQ(plan.grid == 0, out_features(args) == 0);
    // A step of x for every row count that the kernel may meet fits, and the last split has something to read.
    EXPECT_GE(plan.x_bytes, 4 * gemv_rows(args.capacity) * step_of(dtype) * plan.split);
    EXPECT_LT(step_of(dtype) * (plan.split - 1), args.in_features);
    const int64_t of_batch = warps_of(dtype) / plan.split;
    EXPECT_GE(plan.batches * of_batch, plan.groups);
    EXPECT_LT((plan.batches - 1) * of_batch, std::max<int64_t>(plan.groups, 1));
    expect_covered(args, plan.groups, outputs_of(dtype));
  }
}

// What does not fit into less shared memory is read in pieces; what fits takes no more of it on a larger device.
TEST(CudaLinearPlan, GemvTakesTheSharedMemoryThatThereIs) {
  Random random(1);
  LinearArgs args = random_args(random, DType::bfloat16, 1);
  for (const int64_t limit : {least_shared_limit, 166912, 232448}) {
    args.in_features = 2048;
    EXPECT_EQ(gemv_plan(args, 132, limit).x_bytes, 8192);
    args.in_features = 1 << 20;
    const GemvPlan deep = gemv_plan(args, 132, limit);
    EXPECT_LE(deep.shared_bytes, limit);
    EXPECT_GT(deep.shared_bytes, limit - 1024);
  }
}

void expect_gemm(const LinearArgs& args, const GemmPlan& plan, int64_t multiprocessors) {
  EXPECT_GE(plan.row_tiles * plan.tile_rows, args.capacity);
  EXPECT_LT((plan.row_tiles - 1) * plan.tile_rows, args.capacity);
  EXPECT_LE(plan.splits, 16);
  EXPECT_EQ(plan.split_depth % gemm_depth, 0);
  EXPECT_GE(plan.splits * plan.split_depth, args.in_features);
  EXPECT_LT((plan.splits - 1) * plan.split_depth, args.in_features);  // no split is empty
  if (plan.column_tiles > 0) expect_launchable(gemm_blocks(plan, 128, 0));
  EXPECT_EQ(plan.scratch_bytes, plan.splits > 1 ? plan.splits * args.capacity * out_features(args) * 4 : 0);
  if (plan.splits > 1) {
    EXPECT_LE(plan.row_tiles * plan.column_tiles * plan.splits, 2 * multiprocessors);
  }
  expect_covered(args, plan.column_tiles, plan.tile_columns);
}

TEST(CudaLinearPlan, Gemm) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const LinearArgs args = random_args(random, DType::bfloat16, random.in(9, random.coin() ? 140 : 9000));
    const int64_t multiprocessors = random.pick<int64_t>({1, 3, 108, 132, 148});
    expect_gemm(args, gemm_plan(args, multiprocessors), multiprocessors);
    expect_gemm(args, gemm_float32_plan(args, multiprocessors), multiprocessors);
  }
}

// What stands in front of products and behind them, and the kernel that takes what the others leave.
TEST(CudaLinearPlan, BesideProducts) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const DType dtype = random.pick<DType>({DType::bfloat16, DType::int8, DType::int4});
    LinearArgs args = random_args(random, dtype, random.in(9, random.coin() ? 140 : 9000));
    if (random.coin()) args.in_features = round_up(args.in_features, 8192);  // whole blocks of every kernel
    const auto multiprocessors = static_cast<int32_t>(random.pick<int64_t>({1, 3, 108, 132, 148}));
    const Blocks halve = halve_rows_plan(args, multiprocessors);
    expect_launchable(halve);
    expect_covers_rows(halve, args.capacity, args.in_features / 8, true);
    if (const int64_t outputs = out_features(args); outputs > 0) {
      const Blocks general = linear_general_plan(outputs, multiprocessors), splits = add_splits_plan(args);
      expect_launchable(general);
      expect_covers(general, outputs, general.threads / 32);
      expect_launchable(splits);
      expect_covers_rows(splits, args.capacity, outputs, false);
    }
    for (int32_t s = 0; s < args.segment_count; ++s) {
      const int64_t outputs = args.segments[s].out_features;
      if (outputs == 0) continue;
      const Blocks bias = add_bias_plan(args, outputs);
      expect_launchable(bias);
      expect_covers_rows(bias, args.capacity, outputs, false);
      if (dtype == DType::bfloat16) continue;
      const int64_t rows = std::min(outputs, cublaslt_plan(args).weight_rows),
                    integers = dtype == DType::int4 ? 32 : 16;
      const Blocks scale = scale_weights_plan(dtype, args.in_features, rows, multiprocessors);
      expect_launchable(scale);
      expect_covers_rows(scale, rows, args.in_features / integers, false);
    }
  }
}

// As many rows as there can be, and matrices far beyond any model's.
TEST(CudaLinearPlan, TheLargestShapesCanBeLaunched) {
  const int64_t most = std::numeric_limits<int32_t>::max() / 32 * 32;
  for (const auto& [capacity, in, out] :
       {std::array{most_rows, int64_t{32}, int64_t{1}}, std::array{int64_t{9}, most, int64_t{4096}},
        std::array{int64_t{9}, int64_t{32}, most}, std::array{int64_t{1} << 20, int64_t{1} << 20, int64_t{1} << 22}}) {
    for (const DType dtype : {DType::float32, DType::bfloat16, DType::int8, DType::int4}) {
      for (const int32_t multiprocessors : {1, 148, 100000}) {
        LinearArgs args = {};
        args.capacity = capacity;
        args.in_features = in;
        args.segment_count = 1;
        args.segments[0] = {aligned_weights, nullptr, dtype, DType::float32, out, nullptr, 64};
        for (const GemmPlan& plan : {gemm_plan(args, multiprocessors), gemm_float32_plan(args, multiprocessors)}) {
          EXPECT_LE(plan.row_tiles * plan.column_tiles, most_across);
          expect_launchable(gemm_blocks(plan, 128, 0));
          EXPECT_GE(plan.scratch_bytes, 0);
        }
        expect_launchable(halve_rows_plan(args, multiprocessors));
        expect_launchable(add_splits_plan(args));
        expect_launchable(add_bias_plan(args, out));
        expect_launchable(linear_general_plan(out, multiprocessors));
        if (dtype != DType::int8 && dtype != DType::int4) continue;
        const int64_t rows = cublaslt_plan(args).weight_rows;
        expect_launchable(scale_weights_plan(dtype, in, rows, multiprocessors));
      }
    }
  }
}

// What decode of an 8B model asks of 132 multiprocessors: how little of the device stands idle at the ends.
TEST(CudaLinearPlan, GemvFillsTheDevice) {
  struct Shape {
    int64_t in;
    std::vector<int64_t> outs;
  };
  const std::vector<Shape> shapes = {
      {4096, {4096, 1024, 1024}}, {4096, {4096}}, {4096, {14336, 14336}}, {14336, {4096}}, {4096, {128256}}};
  for (const DType dtype : {DType::bfloat16, DType::int8, DType::int4}) {
    for (const Shape& shape : shapes) {
      LinearArgs args = {};
      args.capacity = 8;
      args.in_features = shape.in;
      for (const int64_t out : shape.outs) {
        args.segments[args.segment_count++] = {nullptr, nullptr, dtype, DType::float32, out, nullptr, 128};
      }
      const GemvPlan plan = gemv_plan(args, 132, 232448);
      const int64_t rounds = divide_up(plan.batches, 132), step = gemv_step(dtype) * plan.split;
      const double filled = static_cast<double>(plan.groups) / static_cast<double>(rounds * 132 * gemv_warps) *
                            plan.split * static_cast<double>(shape.in) / static_cast<double>(round_up(shape.in, step));
      EXPECT_GE(filled, 0.93) << "weights of type " << static_cast<int>(dtype) << ", depth " << shape.in << ", outputs "
                              << out_features(args) << ", split " << plan.split;
    }
  }
}

bool is_integer(DType dtype) { return dtype == DType::int8 || dtype == DType::int4; }

/// Whether rows of a segment are whole 16 bytes from an aligned address on, each 16 bytes of one scale, told from the
/// bits of a row.
bool whole_pieces(const LinearSegment& segment, int64_t in_features) {
  const int64_t bits = segment.weight_dtype == DType::float32 ? 32
                       : segment.weight_dtype == DType::int8  ? 8
                       : segment.weight_dtype == DType::int4  ? 4
                                                              : 16;
  if (in_features * bits % 128 != 0 || reinterpret_cast<uintptr_t>(segment.weight) % 16 != 0) return false;
  if (!is_integer(segment.weight_dtype) || segment.group_size >= in_features) return true;
  const int64_t group = segment.group_size;
  return std::has_single_bit(static_cast<uint64_t>(group)) && group >= 32;
}

/// Arguments of any kind, most of them aligned.
LinearArgs any_args(Random& random) {
  const DType dtype = random.pick<DType>({DType::float32, DType::bfloat16, DType::float16, DType::int8, DType::int4});
  LinearArgs args = random_args(random, dtype, random.in(1, random.pick<int64_t>({12, 300, 3000})));
  const auto seldom = [&] { return random.in(0, 9) == 0; };
  if (seldom()) args.in_features = random.in(0, 70);
  args.x_stride = args.in_features + (seldom() ? random.in(0, 3) : 4 * random.in(0, 1));
  if (seldom()) args.x = reinterpret_cast<const float*>(aligned_weights + 4 * random.in(0, 3));
  for (LinearSegment& segment : args.segments) {
    segment.group_size = random.pick<int64_t>({32, 64, 128, 4096, seldom() ? random.in(1, 100) : 256});
    if (seldom()) segment.weight = aligned_weights + random.in(0, 15);
    if (seldom()) segment.weight_dtype = random.pick<DType>({DType::float32, DType::bfloat16, DType::int8});
  }
  return args;
}

// Each class gets what its kernel can read, and what one can read none else gets.
TEST(CudaLinearPlan, ClassesOfAnyArguments) {
  std::map<LinearClass, int> seen;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const LinearArgs args = any_args(random);
    const DType dtype = args.segments[0].weight_dtype;
    bool readable =
        args.in_features > 0 && reinterpret_cast<uintptr_t>(args.x) % 16 == 0 && args.x_stride * 4 % 16 == 0;
    for (int32_t s = 0; s < args.segment_count; ++s) {
      readable = readable && args.segments[s].weight_dtype == dtype && whole_pieces(args.segments[s], args.in_features);
    }
    for (const bool library : {false, true}) {
      const LinearClass got = linear_class(args, library);
      ++seen[got];
      const bool few = args.capacity <= 8, many = args.capacity >= 256;
      const LinearClass expected = !readable ? LinearClass::general
                                   : dtype == DType::float32
                                       ? (few ? LinearClass::gemv_float32 : LinearClass::gemm_float32)
                                   : is_integer(dtype) ? (few               ? LinearClass::gemv_quantized
                                                          : library && many ? LinearClass::cublaslt_quantized
                                                                            : LinearClass::gemm_quantized)
                                   : few               ? LinearClass::gemv
                                   : library           ? LinearClass::cublaslt
                                                       : LinearClass::gemm;
      EXPECT_EQ(got, expected);
    }
    EXPECT_EQ(cuda_variants(Op::linear, &args).size(), 1u) << "variants share out the arguments";
  }
  EXPECT_EQ(seen.size(), 9u) << "every class is among them";
}

TEST(CudaLinearPlan, Classes) {
  Random random(1);
  LinearArgs args = random_args(random, DType::bfloat16, 8);
  EXPECT_EQ(linear_class(args, false), LinearClass::gemv);
  args.capacity = 9;
  EXPECT_EQ(linear_class(args, false), LinearClass::gemm);
  EXPECT_EQ(linear_class(args, true), LinearClass::cublaslt);
  args.in_features += 4;  // rows of 8 bytes more
  EXPECT_EQ(linear_class(args, true), LinearClass::general);
  EXPECT_EQ(linear_class(args, false), LinearClass::general);
  args = random_args(random, DType::int4, 9);
  EXPECT_EQ(linear_class(args, false), LinearClass::gemm_quantized);
  args.capacity = cublaslt_quantized_capacity - 1;
  EXPECT_EQ(linear_class(args, true), LinearClass::gemm_quantized);
  args.capacity = cublaslt_quantized_capacity;
  EXPECT_EQ(linear_class(args, true), LinearClass::cublaslt_quantized);
  EXPECT_EQ(linear_class(args, false), LinearClass::gemm_quantized);
  for (const int64_t group : {16, 48, 96}) {
    args.segments[0].group_size = group;
    EXPECT_EQ(linear_class(args, false), group < args.in_features ? LinearClass::general : LinearClass::gemm_quantized);
  }
  args = random_args(random, DType::float32, 8);
  EXPECT_EQ(linear_class(args, false), LinearClass::gemv_float32);
  args.capacity = 9;
  EXPECT_EQ(linear_class(args, true), LinearClass::gemm_float32);
  args.segments[0].weight = aligned_weights + 4;
  EXPECT_EQ(linear_class(args, false), LinearClass::general);
  args = random_args(random, DType::float16, 9);
  args.segment_count = 2;
  args.segments[1] = args.segments[0];
  args.segments[1].weight_dtype = DType::bfloat16;
  EXPECT_EQ(linear_class(args, false), LinearClass::general);
}

}  // namespace
}  // namespace graft::kernels::testing
