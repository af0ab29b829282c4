#include "kernels/spec/combine_experts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

const int32_t rows = 2, positions[] = {1, 0, -1, 2};
const float weights[] = {2, 10, std::nanf(""), 0.5f};
const float x[] = {1, 2, 3, 4, 5, 6};

CombineExpertsArgs args_of(float* out) {
  CombineExpertsArgs args = {};
  args.rows = &rows;
  args.capacity = 2;
  args.top_k = 2;
  args.width = 2;
  args.positions = positions;
  args.weights = weights;
  args.x = x;
  args.x_stride = 2;
  args.out = out;
  args.out_stride = 3;
  return args;
}

TEST(CombineExperts, ReferenceByHand) {
  float out[6] = {-1, -1, -1, -1, -1, -1};
  CombineExpertsArgs args = args_of(out);
  reference_of(Op::combine_experts)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{16, 28, -1, 2.5f, 3, -1}));
  args.weights = nullptr;
  reference_of(Op::combine_experts)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{4, 6, -1, 5, 6, -1}));
}

TEST(CombineExperts, ReferenceOnBase) {
  float out[6] = {100, 200, -1, 300, 400, -1};
  CombineExpertsArgs args = args_of(out);
  args.base = out;
  reference_of(Op::combine_experts)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{116, 228, -1, 302.5f, 403, -1}));
}

// sigmoid(0) is a half, sigmoid(-1000) nothing.
TEST(CombineExperts, ReferenceOnGatedBase) {
  const float base[] = {100, 200, -1, 300, 400, -1}, gate[] = {0, -1000};
  float out[6] = {};
  CombineExpertsArgs args = args_of(out);
  args.base = base;
  args.base_gate = gate;
  reference_of(Op::combine_experts)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 6), (std::vector<float>{66, 128, 0, 2.5f, 3, 0}));
}

}  // namespace
}  // namespace graft::kernels::testing
