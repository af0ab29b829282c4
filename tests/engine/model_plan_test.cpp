#include "core/engine/model_plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/status.h"

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
  EXPECT_EQ(code_of({.dtype = "int8"}, "gpt2_plain"), StatusCode::unsupported);
  EXPECT_EQ(code_of({.dtype = "float31"}, "gpt2_plain"), StatusCode::invalid_argument);
  EXPECT_EQ(code_of({}, "no_such_directory"), StatusCode::not_found);
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
