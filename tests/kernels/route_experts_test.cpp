#include "kernels/spec/route_experts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

struct Routing {
  explicit Routing(const RouteExpertsArgs& a) : args(a) {
    const auto entries_of_all = static_cast<size_t>(a.capacity * a.top_k);
    ids.assign(entries_of_all, -77);
    entries = positions = ids;
    weights.assign(entries_of_all, -77.0f);
    offsets.assign(static_cast<size_t>(a.local_experts) + 1, -77);
    args.expert_ids = ids.data();
    args.weights = weights.data();
    args.entries = entries.data();
    args.positions = positions.data();
    args.offsets = offsets.data();
    reference_of(Op::route_experts)->run(&args, {});
  }

  RouteExpertsArgs args;
  std::vector<int32_t> ids, entries, positions, offsets;
  std::vector<float> weights;
};

// Logits and the answers of Transformers 5.23.0's routers for them.
const float logits_of_8[] = {-1.265625f, -0.828125f, 1.203125f,  0.09375f, 3.609375f, 1.84375f, 1.078125f, 0.703125f,
                             -3.03125f,  1.875f,     -0.015625f, 2.5f,     -1.3125f,  2.28125f, -2.0625f,  -3.265625f};
const float logits_of_16[] = {-0.734375f, 1.9375f,   -3.34375f, -1.1875f,  -3.171875f, -1.703125f, -3.515625f,
                              2.421875f,  -2.6875f,  2.09375f,  3.9375f,   3.359375f,  -3.5625f,   -1.765625f,
                              3.921875f,  1.453125f, 3.21875f,  3.03125f,  3.609375f,  0.0625f,    -3.640625f,
                              -3.0625f,   -2.4375f,  0.375f,    3.328125f, 0.734375f,  -2.890625f, -0.015625f,
                              -2.59375f,  0.75f,     -1.34375f, 1.4375f};

const int32_t two = 2;

RouteExpertsArgs args_of(int32_t experts, int32_t top_k, RouterScore score, RouterWeights kind) {
  RouteExpertsArgs args = {};
  args.rows = &two;
  args.capacity = 2;
  args.experts = args.local_experts = experts;
  args.top_k = top_k;
  args.logits = experts == 8 ? logits_of_8 : logits_of_16;
  args.logits_stride = experts;
  args.score = score;
  args.kind = kind;
  return args;
}

void expect_routed(const RouteExpertsArgs& args, const std::vector<int32_t>& ids, const std::vector<float>& weights) {
  const Routing got(args);
  EXPECT_EQ(got.ids, ids);
  EXPECT_EQ(difference(got.weights, weights, 1e-6), "");
}

TEST(RouteExperts, AsMixtralTopKRouter) {
  expect_routed(args_of(8, 2, RouterScore::softmax, RouterWeights::normalised), {4, 5, 3, 5},
                {0.85391271f, 0.14608724f, 0.55447048f, 0.44552955f});
}

TEST(RouteExperts, AsQwen3MoeTopKRouter) {
  expect_routed(args_of(8, 3, RouterScore::softmax, RouterWeights::scores), {4, 5, 2, 3, 5, 1},
                {0.69220328f, 0.11842202f, 0.062404022f, 0.40663305f, 0.32673883f, 0.217655f});
  expect_routed(args_of(8, 3, RouterScore::softmax, RouterWeights::normalised), {4, 5, 2, 3, 5, 1},
                {0.79287517f, 0.13564494f, 0.071479864f, 0.42757264f, 0.34356424f, 0.22886315f});
}

TEST(RouteExperts, AsGptOssTopKRouter) {
  expect_routed(args_of(8, 3, RouterScore::logit, RouterWeights::softmax), {4, 5, 2, 3, 5, 1},
                {0.79287517f, 0.13564494f, 0.071479872f, 0.42757261f, 0.34356424f, 0.22886313f});
}

TEST(RouteExperts, AsMiniMaxM2TopKRouter) {
  const float bias[] = {0.5f, -0.25f, 0.125f, 0, -0.5f, 0.25f, 0.375f, -0.125f};
  RouteExpertsArgs args = args_of(8, 3, RouterScore::sigmoid, RouterWeights::normalised);
  args.selection_bias = bias;
  args.selection_bias_dtype = DType::float32;
  expect_routed(args, {6, 5, 2, 5, 3, 2},
                {0.31368688f, 0.36298147f, 0.32333168f, 0.38981465f, 0.39704522f, 0.21314012f});
}

// Glm4MoeTopkRouter answers the same.
TEST(RouteExperts, AsDeepseekV3TopkRouter) {
  const float bias[] = {0.25f,  -0.5f,  0.125f,  -1.5f,  0.5f,   -0.25f, 0,       0.375f,
                        -0.75f, 0.125f, -0.375f, 0.625f, -1.25f, 0.25f,  -0.125f, 0.5f};
  RouteExpertsArgs args = args_of(16, 4, RouterScore::sigmoid, RouterWeights::normalised);
  args.selection_bias = bias;
  args.selection_bias_dtype = DType::float32;
  args.least_sum = 1e-20f;
  args.scale = 2.5f;
  args.groups = 4;
  args.top_groups = 2;
  expect_routed(args, {11, 15, 9, 14, 15, 0, 2, 13},
                {0.66233069f, 0.55546278f, 0.61016434f, 0.67204231f, 0.59027398f, 0.70237768f, 0.71122438f, 0.496124f});
}

TEST(RouteExperts, AsDeepseekV2TopkRouter) {
  RouteExpertsArgs args = args_of(16, 3, RouterScore::softmax, RouterWeights::scores);
  args.scale = 1.5f;
  args.groups = 4;
  args.top_groups = 2;
  args.group_best = 1;
  expect_routed(args, {10, 14, 11, 2, 8, 0},
                {0.4734543f, 0.46611404f, 0.26558378f, 0.45046604f, 0.3400296f, 0.30480057f});
}

TEST(RouteExperts, AsLlama4Router) {
  expect_routed(args_of(8, 1, RouterScore::sigmoid, RouterWeights::scores), {4, 3}, {0.97364467f, 0.92414182f});
}

TEST(RouteExperts, AsGemma4TextRouter) {
  const float scale[] = {1, 2, 0.5f, 1.5f, 0.75f, 1.25f, 0.25f, 3};
  const TypedArray half(DType::bfloat16, std::vector<float>(scale, scale + 8));
  RouteExpertsArgs args = args_of(8, 2, RouterScore::softmax, RouterWeights::normalised);
  args.expert_scale = half.bytes().data();
  args.expert_scale_dtype = DType::bfloat16;
  expect_routed(args, {4, 5, 3, 5}, {0.6404345f, 0.18260908f, 0.83170569f, 0.55691195f});
}

// By hand: rows choose (4, 5, 2) and (3, 5, 1); experts 3 to 5 are here.
TEST(RouteExperts, DealsEntriesToExperts) {
  RouteExpertsArgs args = args_of(8, 3, RouterScore::softmax, RouterWeights::normalised);
  args.first_expert = 3;
  args.local_experts = 3;
  const Routing got(args);
  EXPECT_EQ(got.offsets, (std::vector<int32_t>{0, 1, 2, 4}));
  EXPECT_EQ(got.entries, (std::vector<int32_t>{3, 0, 1, 4, -77, -77}));
  EXPECT_EQ(got.positions, (std::vector<int32_t>{1, 2, -1, 0, 3, -1}));
}

TEST(RouteExperts, NoRows) {
  const int32_t none = 0;
  RouteExpertsArgs args = args_of(8, 3, RouterScore::softmax, RouterWeights::normalised);
  args.rows = &none;
  const Routing got(args);
  EXPECT_EQ(got.offsets, std::vector<int32_t>(9, 0));
  EXPECT_EQ(got.ids, std::vector<int32_t>(6, -77));
}

// Equal logits: the lower index; sigmoids that are rounded to 1: still by logits.
TEST(RouteExperts, Ties) {
  const float logits[] = {1, 3, 3, 3, 40, 41, 42, 43};
  RouteExpertsArgs args = args_of(8, 6, RouterScore::sigmoid, RouterWeights::scores);
  const int32_t one = 1;
  args.rows = &one;
  args.logits = logits;
  const Routing got(args);
  EXPECT_EQ(std::vector<int32_t>(got.ids.begin(), got.ids.begin() + 6), (std::vector<int32_t>{7, 6, 5, 4, 1, 2}));
}

// Groups of equal sums: the first, though the second has the best expert.
TEST(RouteExperts, GroupsThatTie) {
  const float logits[] = {2, 2, 3, 1};
  const int32_t one = 1;
  RouteExpertsArgs args = args_of(8, 2, RouterScore::logit, RouterWeights::softmax);
  args.rows = &one;
  args.experts = args.local_experts = 4;
  args.logits = logits;
  args.groups = 2;
  const Routing got(args);
  EXPECT_EQ(std::vector<int32_t>(got.ids.begin(), got.ids.begin() + 2), (std::vector<int32_t>{0, 1}));
}

// Whatever the logits are, ids are experts, each once.
TEST(RouteExperts, NotANumber) {
  float logits[8] = {};
  for (float& logit : logits) logit = std::nanf("");
  logits[5] = 2;
  logits[6] = -INFINITY;
  const int32_t one = 1;
  RouteExpertsArgs args = args_of(8, 8, RouterScore::softmax, RouterWeights::normalised);
  args.rows = &one;
  args.logits = logits;
  const Routing got(args);
  EXPECT_EQ(std::vector<int32_t>(got.ids.begin(), got.ids.begin() + 8), (std::vector<int32_t>{0, 1, 2, 3, 4, 7, 5, 6}));
}

}  // namespace
}  // namespace graft::kernels::testing
