// Replay never shows a stale result (cases C18): other shapes, other types, two models in turn, after a failure.
#include "core/engine/graph_replay.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/engine/model_runner.h"

namespace graft {
namespace {

std::string case_path(const char* name) {
  const char* cases = std::getenv("GRAFT_TEST_CASES");
  return std::string(cases != nullptr ? cases : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

ModelRunner make_runner(const char* name, bool graph, const char* dtype = "float32") {
  EngineOptions options;
  options.threads = 2;
  options.context_limit = 96;
  options.graph = graph;
  options.dtype = dtype;
  return ModelRunner(plan_model(case_path(name), options), options, make_single_communicator(), nullptr);
}

// Fills the step with `count` tokens that begin with `first`.
void fill(ModelRunner& runner, SequenceBlocks& blocks, int64_t first, int64_t count) {
  std::vector<int64_t> tokens(static_cast<size_t>(count));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = (first + static_cast<int64_t>(i)) % 90;
  runner.step().clear();
  runner.step().add_sequence(tokens.data(), nullptr, count, 0, count, blocks, {StepBuffer::Rows::all});
}

// Logits of all tokens, copied out.
std::vector<float> logits(ModelRunner& runner, int64_t first, int64_t count) {
  SequenceBlocks blocks(runner.cache());
  EXPECT_TRUE(blocks.grow(count));
  fill(runner, blocks, first, count);
  const float* out = runner.run().logits;
  return {out, out + count * runner.plan().config().output_width};
}

TEST(GraphReplay, ShapesInTurnGiveTheBitsOfRecordedSteps) {
  for (const char* name : {"llama_gqa", "gpt2_plain", "qwen3_bias"}) {
    ModelRunner replayed = make_runner(name, true), recorded = make_runner(name, false);
    for (const int64_t count : {20, 3, 70, 1, 20, 8, 9, 3}) {
      EXPECT_EQ(logits(replayed, 1 + count, count), logits(recorded, 1 + count, count)) << name << ", " << count;
    }
    EXPECT_EQ(replayed.replay()->captures(), 3) << "8, 64 and 512 tokens";
    EXPECT_EQ(replayed.replay()->captured(), 3);
    EXPECT_EQ(recorded.replay()->captures(), 8);
  }
}

TEST(GraphReplay, TheSameInputGivesTheSameBitsAfterOthers) {
  ModelRunner runner = make_runner("llama_gqa", true);
  const std::vector<float> first = logits(runner, 5, 12);
  EXPECT_NE(logits(runner, 9, 12), first);
  EXPECT_EQ(logits(runner, 5, 12), first);
}

TEST(GraphReplay, TwoModelsAndTwoTypesInTurn) {
  ModelRunner exact = make_runner("llama_gqa", true), half = make_runner("llama_gqa", true, "bfloat16"),
              other = make_runner("gpt2_plain", true);
  const std::vector<float> a = logits(exact, 5, 12), b = logits(half, 5, 12), c = logits(other, 5, 12);
  EXPECT_NE(a, b);
  EXPECT_EQ(logits(exact, 5, 12), a);
  EXPECT_EQ(logits(half, 5, 12), b);
  EXPECT_EQ(logits(other, 5, 12), c);
}

TEST(GraphReplay, TheLeastRecentlyUsedIsDropped) {
  ModelRunner runner = make_runner("llama_gqa", true);
  CpuDevice device(1);
  GraphReplay replay(*runner.fused(), runner.step(), runner.cache(), runner.plan().cache.layers, device, true,
                     RunAhead({}), /*most=*/2);
  SequenceBlocks blocks(runner.cache());
  ASSERT_TRUE(blocks.grow(96));
  int64_t expected = 0;
  const auto run = [&](int64_t count, bool captures) {
    fill(runner, blocks, 1, count);
    replay.run();
    EXPECT_EQ(replay.captures(), expected += captures ? 1 : 0) << count;
    EXPECT_LE(replay.captured(), 2);
  };
  run(4, true), run(40, true), run(4, false), run(90, true);  // 40 goes
  run(4, false), run(40, true), run(90, true);
}

bool broken = false;

// Kernels, of which the activation fails as long as `broken` is set.
class BreakableDevice : public CpuDevice {
 public:
  BreakableDevice() : CpuDevice(1) {}

  const kernels::Variant* select(kernels::Op op, const void* args) const override {
    static kernels::Variant breakable;
    static const kernels::Variant* real = nullptr;
    const kernels::Variant* chosen = CpuDevice::select(op, args);
    if (op != kernels::Op::activation) return chosen;
    real = chosen;
    breakable = *chosen;
    breakable.run = [](const void* run_args, const kernels::Context& context) {
      if (broken) throw std::runtime_error("broken");
      real->run(run_args, context);
    };
    return &breakable;
  }
};

TEST(GraphReplay, AStepThatFailedLeavesNothingBehind) {
  ModelRunner runner = make_runner("llama_gqa", true);
  const std::vector<float> expected = logits(runner, 5, 12);
  BreakableDevice device;
  GraphReplay replay(*runner.fused(), runner.step(), runner.cache(), runner.plan().cache.layers, device, true,
                     RunAhead({}));
  SequenceBlocks blocks(runner.cache());
  ASSERT_TRUE(blocks.grow(12));
  const auto run = [&](int64_t first) {
    fill(runner, blocks, first, 12);
    const float* out = replay.run().logits;
    return std::vector<float>(out, out + expected.size());
  };
  EXPECT_EQ(run(5), expected);
  broken = true;
  EXPECT_THROW(run(9), std::runtime_error);
  broken = false;
  EXPECT_EQ(run(5), expected);
  EXPECT_EQ(replay.captures(), 1);
}

}  // namespace
}  // namespace graft
