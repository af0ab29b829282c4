// Attention: one sequence and many that decode, and prompts in the steps in which an engine computes them.
#pragma once

#include "tests/bench/cuda/attention_step.h"
#include "tests/bench/cuda/linear_bench.h"

namespace graft::bench {

/// One sequence with one query.
inline void attention_of_token(Bench& bench, const Shapes& shapes) {
  for (const int32_t context : shapes.contexts) {
    const Scope scope(bench);
    AttentionStep step(bench, shapes.heads, {1, 1, context}, DType::bfloat16, shapes.block_size);
    const std::string keys = ", context " + std::to_string(context);
    bench.figure("attention of one query" + keys, step.attention());
    if (context == shapes.contexts[0]) {  // the same at any
      bench.figure("rotary and cache of one row", step.rotary_cache());
      bench.figure("rotary with norm and cache of one row", step.rotary_cache(QkNorm::heads));
      bench.figure("rotary with norm and attention of one query" + keys, step.rotary_attention(QkNorm::heads));
    }
    bench.figure("rotary and attention of one query" + keys, step.rotary_attention());
  }
}

/// Sequences that decode together.
inline void attention_of_sequences(Bench& bench, const Shapes& shapes) {
  for (const int32_t count : shapes.sequences) {
    for (const int32_t context : shapes.many_contexts) {
      const Scope scope(bench);
      AttentionStep step(bench, shapes.heads, {count, 1, context}, DType::bfloat16, shapes.block_size);
      const std::string what = std::to_string(count) + " sequences, context " + std::to_string(context);
      bench.figure("attention of " + what, step.attention());
      const Kernel both = step.rotary_attention();
      if (both.variant != nullptr) bench.figure("rotary and attention of " + what, both);  // of few rows alone
    }
  }
}

/// All steps of a prompt, one after the other over one cache: microseconds and rates are of the whole prompt.
inline void attention_of_prompt(Bench& bench, const Shapes& shapes, const Heads& heads, int32_t prompt, DType dtype) {
  const Scope scope(bench);
  const int32_t steps = prompt / shapes.step;
  const AttentionStep whole(bench, heads, {1, shapes.step, prompt}, dtype, shapes.block_size);
  std::vector<int32_t> lengths;
  Work work(0);
  for (int32_t s = 1; s <= steps; ++s) {
    lengths.push_back(s * shapes.step);
    const Scope of_step(bench);
    const AttentionStep step(bench, heads, {1, shapes.step, lengths.back()}, dtype, shapes.block_size);
    work.bytes += step.cache_bytes() + 2 * step.out_bytes();
    work.operations += step.operations();
  }
  const int32_t* all_lengths = bench.number(lengths);
  const Kernel kernel =
      bench.kernel(Op::attention, whole.args(), work, [whole, all_lengths, steps, turn = 0](AttentionArgs& a) mutable {
        if (turn % steps == 0) whole.renew(a.cache);
        a.context_lengths = all_lengths + turn++ % steps;
      });
  const WeightType type = {dtype};
  bench.figure("attention of a prompt of " + std::to_string(prompt) + " in steps of " + std::to_string(shapes.step) +
                   ", " + std::to_string(heads.queries) + " heads of " + std::to_string(heads.dim) + " " + type.name(),
               std::vector<Kernel>(static_cast<size_t>(steps), kernel), work);
}

inline void attention_of_prompts(Bench& bench, const Shapes& shapes) {
  for (const int32_t prompt : shapes.prompts) {
    attention_of_prompt(bench, shapes, shapes.heads, prompt, DType::bfloat16);
  }
  const Scope scope(bench);
  AttentionStep step(bench, shapes.heads, {1, shapes.step, shapes.step}, DType::bfloat16, shapes.block_size);
  bench.figure("rotary and cache of " + std::to_string(shapes.step) + " rows", step.rotary_cache());
}

/// What is rarer: other types of the cache, smaller heads, norms over a whole projection.
inline void other_attention(Bench& bench, const Shapes& shapes) {
  const std::string keys = ", context " + std::to_string(shapes.contexts[0]);
  for (const WeightType& type : {fp16, fp32}) {
    const Scope scope(bench);
    AttentionStep step(bench, shapes.heads, {1, 1, shapes.contexts[0]}, type.dtype, shapes.block_size);
    bench.figure("attention of one query " + type.name() + keys, step.attention());
  }
  {
    const Scope scope(bench);
    AttentionStep step(bench, shapes.small_heads, {1, 1, shapes.contexts[0]}, DType::bfloat16, shapes.block_size);
    bench.figure("rotary and attention of one query, small heads" + keys, step.rotary_attention());
    bench.figure("rotary with norm of the whole and cache of one row", step.rotary_cache(QkNorm::whole));
  }
  attention_of_prompt(bench, shapes, shapes.heads, shapes.prompts[1], DType::float16);
  attention_of_prompt(bench, shapes, shapes.small_heads, shapes.prompts[1], DType::bfloat16);
  attention_of_prompt(bench, shapes, shapes.heads, shapes.prompts[0], DType::float32);
}

}  // namespace graft::bench
