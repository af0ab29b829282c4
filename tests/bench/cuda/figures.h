// All figures, in the order of what they matter for: a token, prompts, many sequences, experts, ranks, the rest.
#pragma once

#include "tests/bench/cuda/attention_bench.h"
#include "tests/bench/cuda/choose_bench.h"
#include "tests/bench/cuda/expert_bench.h"
#include "tests/bench/cuda/layer_bench.h"
#include "tests/bench/cuda/peer_bench.h"
#include "tests/bench/cuda/small_ops_bench.h"
#include "tests/bench/cuda/weights_bench.h"

namespace graft::bench {

inline void all_figures(Bench& bench, const Shapes& shapes) {
  const LinearShapes linears(shapes);
  linears_of_token(bench, linears);
  attention_of_token(bench, shapes);
  small_ops(bench, shapes, 1);
  choose_tokens(bench, shapes, 1);
  next_step(bench, 1);
  for (const WeightType& type : {bf16, int8, int4}) layer(bench, shapes, type);

  attention_of_prompts(bench, shapes);
  small_ops(bench, shapes, shapes.step);

  attention_of_sequences(bench, shapes);
  linears_of_many_rows(bench, linears, shapes);
  const int32_t few = shapes.few_rows.back();
  choose_tokens(bench, shapes, few);
  next_step(bench, few);

  for (const int32_t rows : {1, few, shapes.step}) expert_layer(bench, shapes, rows);
  for (const int32_t ranks : {2, 4, 8}) {
    for (const int64_t width : shapes.sum_widths) peer_sums(bench, ranks, width);
  }

  other_linears(bench, linears, shapes);
  other_attention(bench, shapes);
  other_small_ops(bench, shapes);
  other_experts(bench, shapes);
  weights(bench, shapes);  // last: they write to the pool
}

}  // namespace graft::bench
