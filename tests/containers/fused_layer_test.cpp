// What a layer records where a device has rotary cache and attention in one kernel, and where it has not.
#include "core/containers/fused_layer.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/containers/host_collectives.h"
#include "core/parallel/communicator.h"
#include "kernels/cpu/select.h"
#include "tests/kernels/two_in_one.h"

namespace graft {
namespace {

using kernels::Op;

constexpr int64_t hidden = 12, heads = 2, kv_heads = 1, head_dim = 8, intermediate = 20, tokens = 3;

const kernels::Variant* select_two(Op op, const void* args) { return kernels::select(op, args); }
const kernels::Variant* select_one(Op op, const void* args) {
  return op == Op::rotary_attention ? &kernels::testing::two_in_one : kernels::select(op, args);
}

LinearTensors linear(int64_t out, int64_t in) { return {at::randn({out, in}), at::randn({out})}; }

FusedDecoderLayer make_layer() {
  LayerConfig config;
  config.attention.heads = heads;
  config.attention.kv_heads = kv_heads;
  config.attention.head_dim = head_dim;
  config.attention.scale = 0.3;
  config.attention.window = 2;
  config.attention.rope = 0;
  config.attention.query_key_norm = true;
  config.attention.alibi_slopes = {0.5F, 0.25F};
  config.feed_forward.intermediate_size = intermediate;
  LayerTensors tensors;
  at::manual_seed(3);
  tensors.input_norm.weight = at::randn({hidden});
  tensors.feed_forward_norm.weight = at::randn({hidden});
  tensors.query_key_value = {linear((heads + 2 * kv_heads) * head_dim, hidden)};
  tensors.query_norm = at::randn({head_dim});
  tensors.key_norm = at::randn({head_dim});
  tensors.attention_output = linear(hidden, heads * head_dim);
  tensors.up = {linear(intermediate, hidden), linear(intermediate, hidden)};
  tensors.down = linear(hidden, intermediate);
  WeightPlacement placement(host_memory());
  return {config, std::move(tensors), placement};
}

struct Recorded {
  std::vector<Op> ops;
  std::vector<float> contribution, keys, values;
};

/// One step of a sequence whose context is that step, run.
Recorded run_layer(const KernelSelector& select) {
  const FusedDecoderLayer layer = make_layer();
  const auto alone = make_single_communicator();
  const HostCollectives ranks(*alone);
  ModelConfig config;
  config.hidden_size = hidden;
  config.layers.resize(1);
  config.layers[0].attention.heads = heads;
  config.layers[0].attention.kv_heads = kv_heads;
  config.layers[0].attention.head_dim = head_dim;
  config.layers[0].feed_forward.intermediate_size = intermediate;
  config.ropes.resize(1);
  config.ropes[0].rotary_dim = 4;

  const int32_t count = tokens, sequences = 1, starts[2] = {0, tokens}, table[1] = {1};
  const int32_t slots[tokens] = {4, 5, 6};
  StepView step;
  step.token_count = &count;
  step.sequence_count = &sequences;
  step.query_starts = starts;
  step.context_lengths = &count;
  const CacheView addressing{slots, table, 1};
  Recorded result;
  result.keys.resize(2 * 4 * head_dim);
  result.values.resize(result.keys.size());
  const kernels::PagedCache cache{result.keys.data(), result.values.data(), DType::float32, 4, kv_heads, head_dim};

  std::vector<std::byte> memory(1 << 16), scratch(1 << 16);
  Arena arena(memory.data(), static_cast<int64_t>(memory.size()));
  Activations activations(arena, ActivationWidths(config), config, tokens);
  OpList ops(select, 1, arena);
  ops.set_scratch(scratch.data());
  std::iota(activations.residual, activations.residual + tokens * hidden, -17.0F);
  for (int i = 0; i < tokens * 2; ++i) {
    activations.cosine[0][i] = 0.6F + 0.01F * static_cast<float>(i);
    activations.sine[0][i] = 0.8F;
  }
  layer.record(ops, ranks, step, addressing, cache, activations, tokens);
  EXPECT_LE(ops.scratch_bytes(), static_cast<int64_t>(scratch.size()));
  for (int64_t i = 0; i < ops.size(); ++i) result.ops.push_back(ops.variant(i).op);
  ops.run({});
  result.contribution.assign(activations.contribution, activations.contribution + tokens * hidden);
  return result;
}

TEST(FusedLayer, RecordsOneOpForTwoWhereThereIsOne) {
  const Recorded two = run_layer(select_two), one = run_layer(select_one);
  using Ops = std::vector<Op>;
  EXPECT_EQ(two.ops, (Ops{Op::residual_norm, Op::linear, Op::rotary_cache, Op::attention, Op::linear, Op::residual_norm,
                          Op::linear, Op::activation, Op::linear}));
  EXPECT_EQ(one.ops, (Ops{Op::residual_norm, Op::linear, Op::rotary_attention, Op::linear, Op::residual_norm,
                          Op::linear, Op::activation, Op::linear}));
  EXPECT_EQ(one.contribution, two.contribution);
  EXPECT_EQ(one.keys, two.keys);
  EXPECT_EQ(one.values, two.values);
  EXPECT_GT(std::set<float>(one.keys.begin(), one.keys.end()).size(), 12U) << "keys were written";
}

}  // namespace
}  // namespace graft
