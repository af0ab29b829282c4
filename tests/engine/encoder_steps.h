// Steps over the oracle's cases at the level of ModelRunner.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "core/engine/model_runner.h"
#include "tests/conformance/support/encoder_case.h"

namespace graft {

using conformance::Difference;
using conformance::EncoderCase;
using conformance::Matrix;
using conformance::Tokens;

inline std::filesystem::path cases_folder() {
  const char* folder = std::getenv("GRAFT_TEST_CASES");
  return folder != nullptr ? folder : "GRAFT_TEST_CASES-is-not-set";
}

struct Rows {
  std::vector<Matrix> hidden;
  std::vector<Matrix> logits;  ///< empty without a head
};

inline Matrix take(const float* values, int64_t first_row, int64_t rows, int64_t columns) {
  const float* begin = values + first_row * columns;
  return {rows, columns, std::vector<float>(begin, begin + rows * columns)};
}

// Runs sequences in one step; every token gives its hidden row and, where the head has rows per token, its logits.
// A runner, or what has a step and a cache like one.
template <class Runner>
Rows run_step(Runner& runner, const std::vector<Tokens>& prompts, const std::vector<Tokens>& types,
              const std::vector<Matrix>& patches = {}) {
  using Wanted = StepBuffer::Rows;
  const ModelConfig& config = runner.plan().config();
  const bool has_head = config.head.kind != HeadKind::none;
  const bool per_sequence = config.head.kind == HeadKind::sequence_labels || config.head.kind == HeadKind::embedding;
  const Wanted logits = !has_head ? Wanted::none : per_sequence ? Wanted::first : Wanted::all;
  StepBuffer& step = runner.step();
  step.clear();
  std::vector<std::unique_ptr<SequenceBlocks>> blocks;
  std::vector<StepBuffer::Place> places;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto count = static_cast<int64_t>(prompts[i].size());
    EXPECT_TRUE(step.fits(count, has_head ? (per_sequence ? 1 : count) : 0, count));
    blocks.push_back(std::make_unique<SequenceBlocks>(runner.cache()));
    EXPECT_TRUE(blocks.back()->grow(count));
    places.push_back(step.add_sequence(prompts[i].data(), types[i].empty() ? nullptr : types[i].data(), count, 0, count,
                                       *blocks.back(), {logits, Wanted::all}));
    if (!patches.empty()) step.set_patches(patches[i].values.data(), count);
  }
  const StepOutput output = runner.run();
  EXPECT_EQ(output.logits == nullptr, !has_head);
  Rows rows;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto count = static_cast<int64_t>(prompts[i].size());
    rows.hidden.push_back(take(output.hidden, places[i].hidden_row, count, config.hidden_size));
    if (!has_head) continue;
    rows.logits.push_back(take(output.logits, places[i].logit_row, per_sequence ? 1 : count, config.output_width));
  }
  return rows;
}

inline double error_of(const std::vector<Matrix>& results, const std::vector<Matrix>& expected) {
  Difference difference;
  EXPECT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < std::min(results.size(), expected.size()); ++i) {
    EXPECT_EQ(results[i].rows, expected[i].rows);
    EXPECT_EQ(results[i].columns, expected[i].columns);
    if (results[i].values.size() == expected[i].values.size()) difference.add(results[i], expected[i]);
  }
  return expected.empty() ? 0 : difference.error();
}

inline ModelRunner make_runner(const std::string& name, InjectionMode injection, const std::string& dtype) {
  EngineOptions options;
  options.injection = injection;
  options.dtype = dtype;
  options.threads = 2;
  return ModelRunner(plan_model((cases_folder() / name).string(), options), options, make_single_communicator(),
                     nullptr);
}

}  // namespace graft
