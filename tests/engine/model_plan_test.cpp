#include "core/engine/model_plan.h"
#include "tests/engine/loaded.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/status.h"
#include "core/containers/layer_tensors.h"
#include "core/model/load.h"

namespace graft {
namespace {

std::string case_path(const char* name) {
  const char* cases = std::getenv("GRAFT_TEST_CASES");
  return std::string(cases != nullptr ? cases : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

StatusCode code_of(const EngineOptions& options, const char* name) {
  try {
    plan_model(case_path(name), options);
    return StatusCode::ok;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(ModelPlan, DefaultsAreTheModelsOwn) {
  const ModelPlan plan = plan_model(case_path("gpt2_plain"), {});
  EXPECT_EQ(plan.limits.context, plan.config().max_positions);
  EXPECT_EQ(plan.dtype, DType::float32);
  EXPECT_GE(plan.threads, 1);
  EXPECT_GT(plan.memory.weight_bytes, 0);
  EXPECT_GE(plan.memory.cache_blocks.at(0), 1);
}

TEST(ModelPlan, AskedForMoreThanThereIs) {
  EXPECT_EQ(code_of({.context_limit = 1 << 20}, "gpt2_plain"), StatusCode::invalid_argument)
      << "beyond the position table";
  EXPECT_EQ(code_of({.context_limit = int64_t{1} << 40}, "llama_gqa"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.max_sequences = int64_t{1} << 40}, "llama_gqa"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.memory_limit = 1000}, "gpt2_plain"), StatusCode::out_of_memory);
  EXPECT_EQ(code_of({.dtype = "float31"}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({}, "no_such_directory"), StatusCode::not_found);
}

TEST(ModelPlan, QuantisationByTypeOrByBits) {
  const ModelPlan plain = plan_model(case_path("gpt2_plain"), {});
  EXPECT_EQ(plain.quantization, Quantization{});
  const ModelPlan named = plan_model(case_path("gpt2_plain"), {.dtype = "int8"});
  EXPECT_EQ(named.quantization, (Quantization{8, 0})) << "whole rows";
  EXPECT_EQ(named.dtype, DType::float32) << "as stored: of the rest and of the cache";
  EXPECT_EQ(named.memory.cache_blocks, plain.memory.cache_blocks);
  EXPECT_EQ(plan_model(case_path("gpt2_plain"), {.dtype = "int4"}).quantization, (Quantization{4, 32}));
  const ModelPlan both =
      plan_model(case_path("gpt2_plain"), {.dtype = "bfloat16", .quantization = {.bits = 4, .group_size = 64}});
  EXPECT_EQ(both.quantization, (Quantization{4, 64}));
  EXPECT_EQ(both.dtype, DType::bfloat16);
  EXPECT_EQ(plan_model(case_path("gpt2_plain"), {.dtype = "int8", .quantization = {0, 64}}).quantization,
            (Quantization{8, 64}));
}

TEST(ModelPlan, QuantisationThatCannotBe) {
  EXPECT_EQ(code_of({.dtype = "int8", .quantization = {4, 0}}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.quantization = {5, 0}}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.quantization = {8, -1}}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.quantization = {0, 32}}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({.dtype = "int8", .injection = InjectionMode::none}, "gpt2_plain"), StatusCode::unsupported);
}

// Of the layers' weights and nothing else: counted here from the tensors that the engine's own steps make.
TEST(ModelPlan, QuantisedWeightsAreCountedAsTheyAre) {
  for (const char* name : {"gpt2_plain", "llama_gqa"}) {
    for (const Quantization quantization : {Quantization{8, 0}, Quantization{8, 48}, Quantization{4, 32}}) {
      ModelPlan plan = plan_model(case_path(name), {.quantization = quantization});
      const std::unique_ptr<Module> root = load_tree(plan, plan.dtype);
      int64_t saved = 0;
      for (const Module* layer : decoder_layers(*root)) {
        LayerTensors tensors = take_tensors(*layer);
        transpose_to_kernel_layout(tensors);
        LayerTensors after = tensors;
        quantize(after, quantization);
        const auto add = [&](const LinearTensors& before, const LinearTensors& now) {
          saved += static_cast<int64_t>(before.weight.nbytes()) - static_cast<int64_t>(now.weight.nbytes()) -
                   static_cast<int64_t>(now.quantized.scales.nbytes());
        };
        for (size_t i = 0; i < tensors.query_key_value.size(); ++i) {
          add(tensors.query_key_value[i], after.query_key_value[i]);
        }
        for (size_t i = 0; i < tensors.up.size(); ++i) add(tensors.up[i], after.up[i]);
        add(tensors.attention_output, after.attention_output);
        add(tensors.down, after.down);
      }
      EXPECT_GT(saved, 0);
      EXPECT_EQ(plan.memory.weight_bytes, plan_model(case_path(name), {}).memory.weight_bytes - saved);
    }
  }
}

TEST(ModelPlan, MemoryLimitBoundsTheCache) {
  const int64_t free = plan_model(case_path("gpt2_plain"), {}).memory.cache_bytes;
  const ModelPlan plan = plan_model(case_path("gpt2_plain"), {});
  const int64_t limit = plan.memory.weight_bytes + plan.memory.working_bytes + free / 4;
  const ModelPlan limited = plan_model(case_path("gpt2_plain"), {.memory_limit = limit});
  EXPECT_LE(limited.memory.cache_bytes, free / 4);
  EXPECT_GE(limited.memory.cache_blocks.at(0), 1);
}

}  // namespace
}  // namespace graft
