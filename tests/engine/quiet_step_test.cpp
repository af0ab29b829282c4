// A fused step after warm-up calls no ATen operator and allocates nothing. Both are counted for the whole process.
#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <numeric>

#include "core/engine/model_runner.h"

namespace {

std::atomic<int64_t> allocations{0};
std::atomic<int64_t> operators{0};

}  // namespace

// glibc's own entries stay behind these, so that operator new, calloc users and LibTorch are all seen.
extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* __libc_memalign(size_t, size_t);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GRAFT_COUNTS_ALLOCATIONS 1
extern "C" void* malloc(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
extern "C" void* calloc(size_t count, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
extern "C" void* realloc(void* old, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}
extern "C" int posix_memalign(void** out, size_t alignment, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? 12 : 0;
}
extern "C" void* aligned_alloc(size_t alignment, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
#endif

namespace graft {
namespace {

std::unique_ptr<at::ObserverContext> count_operator(const at::RecordFunction&) {
  operators.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

class QuietStep : public testing::TestWithParam<const char*> {};

std::string case_path(const char* name) {
  const char* cases = std::getenv("GRAFT_TEST_CASES");
  return std::string(cases != nullptr ? cases : "GRAFT_TEST_CASES-is-not-set") + "/" + name;
}

// Prefills `tokens` tokens in a step, then decodes one.
void prefill_and_decode(ModelRunner& runner, SequenceBlocks& blocks, const std::vector<int64_t>& tokens) {
  runner.step().clear();
  runner.step().add_sequence(tokens.data(), nullptr, static_cast<int64_t>(tokens.size()), 0, 64, blocks,
                             {StepBuffer::Rows::last, StepBuffer::Rows::all});
  ASSERT_NE(runner.run().logits, nullptr);
  const int64_t next = 3;
  runner.step().clear();
  runner.step().add_sequence(&next, nullptr, 1, static_cast<int64_t>(tokens.size()), 64, blocks,
                             {StepBuffer::Rows::last});
  ASSERT_NE(runner.run().logits, nullptr);
}

TEST_P(QuietStep, NoOperatorAndNoAllocation) {
  EngineOptions options;
  options.threads = 2;
  options.context_limit = 64;
  ModelRunner runner(plan_model(case_path(GetParam()), options), options, make_single_communicator(), nullptr);
  SequenceBlocks blocks(runner.cache());
  std::vector<int64_t> tokens(20);
  std::iota(tokens.begin(), tokens.end(), 1);
  ASSERT_TRUE(blocks.grow(21));
  prefill_and_decode(runner, blocks, tokens);  // warm-up

  const auto handle =
      at::addGlobalCallback(at::RecordFunctionCallback(count_operator).scopes({at::RecordScope::FUNCTION}));
  operators = 0;
  at::ones({2}).add_(1);
  ASSERT_GE(operators, 2) << "the counter of operators does not count";
  operators = 0;
  const int64_t before = allocations;
  prefill_and_decode(runner, blocks, tokens);
  const int64_t allocated = allocations - before;
  const int64_t called = operators;
  at::removeCallback(handle);
  EXPECT_EQ(called, 0);
  EXPECT_EQ(allocated, 0);
#ifdef GRAFT_COUNTS_ALLOCATIONS
  const int64_t probe = allocations;
  std::free(std::malloc(10));
  EXPECT_GT(allocations, probe) << "the counter of allocations does not count";
#endif
}

TEST_P(QuietStep, NoAllocationWhileProfiling) {
  EngineOptions options;
  options.threads = 2;
  options.context_limit = 64;
  ModelRunner runner(plan_model(case_path(GetParam()), options), options, make_single_communicator(), nullptr);
  Profiler profiler;
  profiler.enable(true);
  runner.profile_with(&profiler);
  SequenceBlocks blocks(runner.cache());
  std::vector<int64_t> tokens(20);
  std::iota(tokens.begin(), tokens.end(), 1);
  ASSERT_TRUE(blocks.grow(21));
  prefill_and_decode(runner, blocks, tokens);  // warm-up
  const int64_t before = allocations;
  prefill_and_decode(runner, blocks, tokens);
  const int64_t allocated = allocations - before;
  EXPECT_EQ(allocated, 0);
  const Profile profile = profiler.take();
  EXPECT_EQ(profile.forwards.size(), 4u);
  EXPECT_FALSE(profile.ops.empty());
}

TEST(QuietEncoderStep, NoOperatorAndNoAllocation) {
  EngineOptions options;
  options.threads = 2;
  ModelRunner runner(plan_model(case_path("bert_sequence_labels"), options), options, make_single_communicator(),
                     nullptr);
  SequenceBlocks first(runner.cache()), second(runner.cache());
  std::vector<int64_t> tokens(20);
  std::iota(tokens.begin(), tokens.end(), 1);
  ASSERT_TRUE(first.grow(20));
  ASSERT_TRUE(second.grow(3));
  const auto encode = [&] {
    runner.step().clear();
    runner.step().add_sequence(tokens.data(), nullptr, 20, 0, 20, first, {StepBuffer::Rows::first});
    runner.step().add_sequence(tokens.data(), nullptr, 3, 0, 3, second,
                               {StepBuffer::Rows::none, StepBuffer::Rows::all});
    return runner.run();
  };
  ASSERT_NE(encode().logits, nullptr);  // warm-up
  const auto handle =
      at::addGlobalCallback(at::RecordFunctionCallback(count_operator).scopes({at::RecordScope::FUNCTION}));
  operators = 0;
  const int64_t before = allocations;
  encode();
  const int64_t allocated = allocations - before;
  const int64_t called = operators;
  at::removeCallback(handle);
  EXPECT_EQ(called, 0);
  EXPECT_EQ(allocated, 0);
}

INSTANTIATE_TEST_SUITE_P(Families, QuietStep, testing::Values("llama_gqa", "gpt2_plain"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace graft
