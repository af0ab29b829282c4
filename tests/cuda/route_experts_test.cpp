#include "kernels/spec/route_experts.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "kernels/cuda/route_plan.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

struct Answer {
  std::vector<int32_t> ids, entries, positions, offsets;
  std::vector<float> weights;
};

class RouteCase {
 public:
  RouteCase(Random& random, int64_t capacity, int32_t rows, int32_t experts) : rows_(std::vector<int32_t>{rows}) {
    args.capacity = capacity;
    args.experts = experts;
    args.top_k = static_cast<int32_t>(random.in(1, std::min(experts, random.coin() ? 8 : 32)));
    args.logits_stride = experts + random.in(0, 3);
    args.score = random.pick<RouterScore>({RouterScore::logit, RouterScore::softmax, RouterScore::sigmoid});
    args.kind = random.pick<RouterWeights>({RouterWeights::scores, RouterWeights::normalised, RouterWeights::softmax});
    // Logits of both signs have sums near 0.
    if (args.score == RouterScore::logit) args.kind = RouterWeights::softmax;
    args.least_sum = random.coin() ? 1e-20f : 0.0f;
    args.scale = random.coin() ? 1.0f : 2.5f;
    args.rows = rows_.as<int32_t>();
    args.local_experts = experts;
    if (random.in(0, 2) == 0) {
      args.first_expert = static_cast<int32_t>(random.in(0, experts - 1));
      args.local_experts = static_cast<int32_t>(random.in(1, experts - args.first_expert));
    }
    if (random.coin()) args.selection_bias = vector(random, &args.selection_bias_dtype, 0.5f);
    if (random.coin()) args.expert_scale = vector(random, &args.expert_scale_dtype, 1);
    choose_groups(random);
    draw(random);
  }

  /// On host memory of its own.
  Answer expected() const { return expected(args.logits); }

  Answer run(const Variant& variant, emulated::Order order) const {
    DeviceMemory ids(entries()), entries_of(entries()), positions(entries()), offsets(starts()), weights(unwritten());
    RouteExpertsArgs mine = args;
    mine.expert_ids = ids.as<int32_t>();
    mine.entries = entries_of.as<int32_t>();
    mine.positions = positions.as<int32_t>();
    mine.offsets = offsets.as<int32_t>();
    mine.weights = weights.as<float>();
    run_emulated(variant, mine, order);
    return {ids.read<int32_t>(), entries_of.read<int32_t>(), positions.read<int32_t>(), offsets.read<int32_t>(),
            weights.read<float>()};
  }

  RouteExpertsArgs args = {};

 private:
  std::vector<int32_t> entries() const {
    return std::vector<int32_t>(static_cast<size_t>(args.capacity * args.top_k), -77);
  }
  std::vector<int32_t> starts() const { return std::vector<int32_t>(static_cast<size_t>(args.local_experts) + 1, -77); }
  std::vector<float> unwritten() const {
    return std::vector<float>(static_cast<size_t>(args.capacity * args.top_k), -77.0f);
  }

  Answer expected(const float* logits) const {
    Answer answer = {entries(), entries(), entries(), starts(), unwritten()};
    RouteExpertsArgs mine = args;
    mine.logits = logits;
    mine.expert_ids = answer.ids.data();
    mine.entries = answer.entries.data();
    mine.positions = answer.positions.data();
    mine.offsets = answer.offsets.data();
    mine.weights = answer.weights.data();
    reference_of(Op::route_experts)->run(&mine, {});
    return answer;
  }

  const void* vector(Random& random, DType* dtype, float size) {
    *dtype = random.float_type();
    memory_.push_back(std::make_unique<DeviceMemory>(typed(*dtype, random.normals(args.experts, size))));
    return memory_.back()->data();
  }

  void choose_groups(Random& random) {
    std::vector<int32_t> fitting;
    for (int32_t groups = 2; groups <= 32; ++groups) {
      if (args.experts % groups == 0) fitting.push_back(groups);
    }
    if (fitting.empty() || random.coin()) return;
    args.groups = random.pick(fitting);
    const int32_t size = args.experts / args.groups;
    args.top_groups = static_cast<int32_t>(random.in((args.top_k + size - 1) / size, args.groups));
    args.group_best = size > 1 ? static_cast<int32_t>(random.in(1, 2)) : 1;
  }

  /// Logits, some of them equal where they alone are chosen by. Elsewhere what is compared is rounded, so that the
  /// choice must not hang on the last bits.
  void draw(Random& random) {
    const bool plain = args.selection_bias == nullptr && args.groups == 1;
    for (;;) {
      std::vector<float> logits = random.normals(args.capacity * args.logits_stride, 1.5f);
      const bool equals = plain && random.coin();
      for (size_t i = 0; i < logits.size(); ++i) {
        if (equals) logits[i] = std::round(logits[i] * 4) / 4;
        const auto at = static_cast<int64_t>(i);
        if (at / args.logits_stride >= *args.rows || at % args.logits_stride >= args.experts) logits[i] = NAN;
      }
      logits_memory_ = std::make_unique<DeviceMemory>(logits);
      args.logits = logits_memory_->as<float>();
      if (plain) return;
      const std::vector<int32_t> ids = expected().ids;
      bool firm = true;
      for (int i = 0; i < 8 && firm; ++i) {
        std::vector<float> near = logits;
        for (float& logit : near) logit += random.normal(2e-6f);
        firm = expected(near.data()).ids == ids;
      }
      if (firm) return;
    }
  }

  DeviceMemory rows_;
  std::unique_ptr<DeviceMemory> logits_memory_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
};

void expect_right(const RouteCase& test, emulated::Order order) {
  const Answer expected = test.expected();
  const int found = for_each_cuda_variant(Op::route_experts, &test.args, [&](const Variant& variant) {
    const Answer got = test.run(variant, order);
    EXPECT_EQ(got.ids, expected.ids) << variant.name;
    EXPECT_EQ(got.entries, expected.entries) << variant.name;
    EXPECT_EQ(got.positions, expected.positions) << variant.name;
    EXPECT_EQ(got.offsets, expected.offsets) << variant.name;
    EXPECT_EQ(difference(got.weights, expected.weights, 3e-6, 0.1), "") << variant.name;
  });
  EXPECT_EQ(found, 1);
}

emulated::Order some_order(Random& random) {
  return all_orders[static_cast<size_t>(random.in(0, static_cast<int64_t>(all_orders.size()) - 1))];
}

TEST(CudaRouteExperts, MatchesReference) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, random.coin() ? 8 : 40);
    const auto rows = static_cast<int32_t>(random.in(0, 5) == 0 ? 0 : random.in(1, capacity));
    const auto experts = random.pick<int32_t>({1, 2, 8, 16, 30, 32, 60, 64, 128, 256, 384, 1024});
    expect_right(RouteCase(random, capacity, rows, experts), some_order(random));
  }
}

// More entries than a warp deals with, and more than a block of few warps.
TEST(CudaRouteExperts, ManyRows) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(300, 700);
    const auto rows = static_cast<int32_t>(random.in(200, capacity));
    expect_right(RouteCase(random, capacity, rows, random.pick<int32_t>({4, 128, 512})), some_order(random));
  }
}

/// One row with these logits, the arguments as `change` leaves them: the experts are those of the reference.
void expect_chosen(std::vector<float> logits, const std::function<void(RouteExpertsArgs&)>& change) {
  Random random(3);
  RouteCase test(random, 1, 1, static_cast<int32_t>(logits.size()));
  logits.resize(static_cast<size_t>(test.args.logits_stride));
  DeviceMemory memory(logits);
  test.args.logits = memory.as<float>();
  test.args.groups = 1;
  test.args.selection_bias = nullptr;
  change(test.args);
  const std::vector<int32_t> ids = test.expected().ids;
  for_each_cuda_variant(Op::route_experts, &test.args, [&](const Variant& variant) {
    EXPECT_EQ(test.run(variant, emulated::Order::forward).ids, ids) << variant.name;
  });
}

TEST(CudaRouteExperts, NotANumber) {
  expect_chosen({NAN, NAN, NAN, NAN, NAN, 2, -INFINITY, NAN}, [](RouteExpertsArgs& args) { args.top_k = 8; });
}

// Sigmoids that are rounded to 1 do not make experts equal, and of equal groups the first is taken.
TEST(CudaRouteExperts, Ties) {
  expect_chosen({1, 3, 3, 3, 40, 41, 42, 43}, [](RouteExpertsArgs& args) {
    args.score = RouterScore::sigmoid;
    args.top_k = 6;
  });
  expect_chosen({2, 2, 3, 1}, [](RouteExpertsArgs& args) {
    args.score = RouterScore::logit;
    args.top_k = args.groups = args.group_best = 2;
    args.top_groups = 1;
  });
}

TEST(CudaRoutePlan, FitsAnyShape) {
  using namespace cuda;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    RouteExpertsArgs args = {};
    args.capacity = random.in(1, random.coin() ? 20 : 20000);
    args.experts = static_cast<int32_t>(random.in(1, RouteExpertsArgs::max_experts));
    args.local_experts = static_cast<int32_t>(random.in(1, args.experts));
    args.top_k = static_cast<int32_t>(random.in(1, std::min(args.experts, RouteExpertsArgs::max_top_k)));
    const int64_t multiprocessors = random.pick<int64_t>({1, 3, 108, 132});
    const RoutePlan plan = route_plan(args, multiprocessors);
    EXPECT_LE(plan.route_bytes, least_shared_limit);
    EXPECT_LE(plan.sort_bytes, least_shared_limit);
    EXPECT_GE(plan.sort_warps, 1);
    EXPECT_LE(plan.sort_warps, most_sort_warps);
    EXPECT_EQ(plan.route_bytes, int64_t{4} * plan.route_warps * args.experts);
    EXPECT_EQ(plan.sort_bytes, int64_t{4} * (plan.sort_warps + 1) * args.local_experts);
    EXPECT_GE(plan.route_blocks, 1);
    EXPECT_LE(plan.route_blocks, std::max<int64_t>(4 * multiprocessors, 1));
    if (plan.fused) {
      EXPECT_LE(args.capacity, plan.route_warps);
      EXPECT_LE(plan.route_warps, fused_route_warps);
      EXPECT_EQ(plan.route_blocks, 1);
      EXPECT_EQ(plan.sort_warps, plan.route_warps);
    }
  }
}

}  // namespace
}  // namespace graft::kernels::testing
