#include "kernels/spec/expert_linear.h"

#include <gtest/gtest.h>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

// Two rows of two, two experts each: expert 0 has entry 2 (row 1), expert 1 none, expert 2 entries 0 and 3 (rows 0 and
// 1).
const int32_t offsets[] = {0, 1, 1, 3}, entries[] = {2, 0, 3};
const float x[] = {1, 2, 10, 20, 100, 200};

ExpertLinearArgs args_of(const float* weights, float* out, int64_t outputs) {
  ExpertLinearArgs args = {};
  args.offsets = offsets;
  args.capacity = 2;
  args.top_k = 2;
  args.experts = 3;
  args.in_features = 2;
  args.x = x;
  args.x_stride = 2;
  args.entries = entries;
  args.segments[0] = {{weights, nullptr, DType::float32, DType::float32, outputs}, outputs};
  args.segment_count = 1;
  args.out = out;
  args.out_stride = outputs;
  return args;
}

TEST(ExpertLinear, ReferenceByHand) {
  const float weights[] = {1, 0, 0, 1, 9, 9, 9, 9, 1, 1, 2, -1}, bias[] = {0, 0, 7, 7, 0.5f, 0.25f};
  float out[8] = {0, 0, 0, 0, 0, 0, -1, -1};
  ExpertLinearArgs args = args_of(weights, out, 2);
  args.segments[0].matrix.bias = bias;
  reference_of(Op::expert_linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 8), (std::vector<float>{10, 20, 3.5f, 0.25f, 30.5f, 0.25f, -1, -1}));
}

// What comes out of one is the input of the next, position by position.
TEST(ExpertLinear, ReferenceByPosition) {
  const float weights[] = {1, 1, 9, 9, 2, 0};
  float out[4] = {};
  ExpertLinearArgs args = args_of(weights, out, 1);
  args.entries = nullptr;
  reference_of(Op::expert_linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{3, 20, 200, 0}));
}

// The bias is not scaled.
TEST(ExpertLinear, ReferenceWithScales) {
  const float weights[] = {1, 1, 9, 9, 1, 0}, bias[] = {1, 1, 1}, scales[] = {0.5f, 9, 2, 3};
  float out[4] = {};
  ExpertLinearArgs args = args_of(weights, out, 1);
  args.segments[0].matrix.bias = bias;
  args.entry_scales = scales;
  reference_of(Op::expert_linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{61, 1.5f, 31, 0}));
}

// Gate and up in one tensor, one after the other or by turns: gates first in the result all the same.
TEST(ExpertLinear, ReferenceOfGateAndUp) {
  const float stacked[] = {1, 0, 2, 0, 0, 1, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 3, 0, 4, 0, 0, 3, 0, 4};
  const float by_turns[] = {1, 0, 0, 1, 2, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 3, 0, 0, 3, 4, 0, 0, 4};
  const std::vector<float> expected = {10, 20, 20, 40, 3, 4, 6, 8, 30, 40, 60, 80};
  float out[12] = {};
  ExpertLinearArgs args = args_of(stacked, out, 2);
  args.segment_count = 2;
  args.out_stride = 4;
  args.segments[0].expert_rows = 4;
  args.segments[1] = args.segments[0];
  args.segments[1].matrix.weight = stacked + 4;
  reference_of(Op::expert_linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 12), expected);
  std::fill(out, out + 12, 0.0f);
  args.segments[0].row_step = args.segments[1].row_step = 2;
  args.segments[0].matrix.weight = by_turns;
  args.segments[1].matrix.weight = by_turns + 2;
  reference_of(Op::expert_linear)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 12), expected);
}

// int4, two groups of two weights to a row: values are (nibble - 8) * scale.
TEST(ExpertLinear, ReferenceOfInt4) {
  const unsigned char weights[] = {0x9a, 0x87, 0x00, 0x00, 0xf8, 0x8f};
  const float scales[] = {1, 2, 9, 9, 0.5f, 1}, wide[] = {1, 1, 1, 1, 2, 3, 4, 5};
  float out[4] = {};
  ExpertLinearArgs args = args_of(nullptr, out, 1);
  args.in_features = args.x_stride = 4;
  args.x = wide;
  args.segments[0].matrix = {weights, nullptr, DType::int4, DType::float32, 1, scales, 2};
  reference_of(Op::expert_linear)->run(&args, {});
  // Expert 0: 2, 1, -2, 0; expert 2: 0, 3.5, 7, 0.
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{-1, 10.5f, 38.5f, 0}));
}

}  // namespace
}  // namespace graft::kernels::testing
