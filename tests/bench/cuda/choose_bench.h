// Choosing tokens and going on to the step after it.
#pragma once

#include <random>

#include "kernels/spec/choose_token.h"
#include "kernels/spec/next_step.h"
#include "tests/bench/cuda/kernel_bench.h"
#include "tests/bench/cuda/shapes.h"

namespace graft::bench {

/// The next tokens of so many rows, from logits that the head has just left in the cache. Bytes: theirs, read once.
inline void choose_token(Bench& bench, const std::vector<float>& logits, int64_t vocabulary, const char* how,
                         TokenChoice choice) {
  const Scope scope(bench);
  const auto rows = static_cast<int32_t>(static_cast<int64_t>(logits.size()) / vocabulary);
  std::vector<TokenChoice> choices;
  for (int32_t r = 0; r < rows; ++r) {
    choice.state += 0x9e3779b97f4a7c15u;
    choices.push_back(choice);
  }
  ChooseTokenArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.logits = bench.copied(logits);
  args.vocabulary = vocabulary;
  args.choices = bench.copied(choices);
  args.tokens = bench.zeros<int32_t>(rows);
  bench.figure(std::string("choose token, ") + how + " x" + std::to_string(rows),
               bench.kernel(Op::choose_token, args, Work(static_cast<int64_t>(logits.size()) * 4)));
}

inline void choose_tokens(Bench& bench, const Shapes& shapes, int32_t rows) {
  const TokenChoice greedy = {
      .state = 1, .temperature = 0, .top_p = 1, .min_p = 0, .top_k = 0, .wanted = 1, .unused = 0};
  TokenChoice all = greedy, few = greedy, likely = greedy;
  all.temperature = few.temperature = likely.temperature = 0.8f;
  likely.top_p = few.top_p = 0.95f;
  few.top_k = 50;
  std::mt19937 engine(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(static_cast<size_t>(rows * shapes.vocabulary));
  for (float& logit : logits) logit = normal(engine);
  choose_token(bench, logits, shapes.vocabulary, "greedy", greedy);
  choose_token(bench, logits, shapes.vocabulary, "temperature", all);
  choose_token(bench, logits, shapes.vocabulary, "temperature + top p", likely);
  choose_token(bench, logits, shapes.vocabulary, "temperature + top k + top p", few);
}

/// Bytes: what is read of a row, and written.
inline void next_step(Bench& bench, int32_t rows) {
  const Scope scope(bench);
  constexpr int64_t blocks = 512;
  NextStepArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.tokens = bench.zeros<int32_t>(rows);
  args.token_ids = bench.zeros<int32_t>(rows);
  args.positions = bench.zeros<int32_t>(rows);
  args.context_lengths = bench.zeros<int32_t>(rows);
  args.choices = bench.zeros<TokenChoice>(rows);
  args.caches = 1;
  args.cache[0] = {bench.zeros<int32_t>(rows), bench.zeros<int32_t>(rows * blocks), blocks, 64};
  constexpr int64_t row_bytes = 6 * 4 + sizeof(TokenChoice) + 4 * 4;
  bench.figure("next step x" + std::to_string(rows), bench.kernel(Op::next_step, args, Work(rows * row_bytes)));
}

}  // namespace graft::bench
