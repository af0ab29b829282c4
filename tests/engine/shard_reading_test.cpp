// A rank reads its share of the weights and hardly a byte more.
#include <gtest/gtest.h>

#include <string>

#include "tests/engine/loaded.h"

namespace graft {
namespace {

int64_t parameter_bytes(const Module& module) {
  int64_t bytes = 0;
  for (const ParameterSpec& spec : module.spec().parameters) {
    bytes += static_cast<int64_t>(module.parameter(spec.name).nbytes());
  }
  for (const auto& child : module.children()) bytes += parameter_bytes(*child);
  return bytes;
}

std::unique_ptr<Module> read_tree(const ModelPlan& plan) {
  std::unique_ptr<Module> root = build_tree(plan.share);
  ModelLoader loader(plan.weights, plan.dtype, plan.copy_weights, nullptr);
  replace_module(*root, {}, loader, nullptr);
  return root;
}

class ShardReading : public testing::TestWithParam<const char*> {};

TEST_P(ShardReading, AtMostATwentiethMoreThanTheShare) {
  ASSERT_GE(bytes_read(), 0) << "/proc/self/io cannot be read";
  EngineOptions options;
  options.dtype = "float32";
  options.weights = WeightsMode::read;
  int64_t whole = 0;
  {
    const ModelPlan plan = plan_model(case_path(GetParam()), options);
    whole = plan.weights.bytes;
  }
  for (const int64_t ranks : {2, 3}) {
    for (int64_t rank = 0; rank < ranks; ++rank) {
      const ModelPlan plan = plan_model(case_path(GetParam()), options, {{rank, ranks, 64}, 1});
      const int64_t before = bytes_read();
      const std::unique_ptr<Module> root = read_tree(plan);
      const int64_t read = bytes_read() - before;
      EXPECT_LT(plan.weights.bytes, whole);
      EXPECT_GE(read, plan.weights.bytes);
      EXPECT_LE(static_cast<double>(read), 1.05 * static_cast<double>(plan.weights.bytes))
          << "rank " << rank << " of " << ranks;
      EXPECT_GE(parameter_bytes(*root), plan.weights.bytes);
    }
  }
}

TEST_P(ShardReading, ReadAndMappedPartsAreEqual) {
  EngineOptions options;
  options.dtype = "float32";
  const auto expect_equal = [](const Module& a, const Module& b, const auto& self) -> void {
    for (const ParameterSpec& spec : a.spec().parameters) {
      EXPECT_TRUE(a.parameter(spec.name).equal(b.parameter(spec.name))) << a.spec().path << "." << spec.name;
      EXPECT_EQ(a.parameter(spec.name).sizes().vec(), spec.shape) << a.spec().path;
    }
    for (size_t i = 0; i < a.children().size(); ++i) self(*a.children()[i], *b.children()[i], self);
  };
  for (int64_t rank = 0; rank < 3; ++rank) {
    const RankPlace place{{rank, 3, 64}, 1};
    const ModelPlan mapped = plan_model(case_path(GetParam()), options, place);
    options.weights = WeightsMode::read;
    const ModelPlan read = plan_model(case_path(GetParam()), options, place);
    options.weights = WeightsMode::map;
    expect_equal(*read_tree(mapped), *read_tree(read), expect_equal);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ShardReading,
                         testing::Values("llama_gqa", "llama_sharded", "gpt2_plain", "bloom_six_heads", "falcon_7b",
                                         "phi3_plain", "bert_mlm"));

}  // namespace
}  // namespace graft
