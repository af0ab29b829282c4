// The kernels of a layer of one token in one graph, against the sum of what each takes in a graph of its own: what lies
// between different kernels, and what one leaves in the cache for the next.
#pragma once

#include "tests/bench/cuda/attention_bench.h"
#include "tests/bench/cuda/small_ops_bench.h"

namespace graft::bench {

/// A Llama layer, each kernel reading what the one before has written. "sum_us" adds up the medians of its kernels, of
/// graphs that hold nothing else; "kernels" is how many there are.
inline void layer(Bench& bench, const Shapes& shapes, const WeightType& type) {
  const std::string what = "layer of one token " + type.name();
  if (!bench.means(what)) return;
  const Scope scope(bench);
  const LinearShapes linears(shapes);
  AttentionStep step(bench, shapes.heads, {1, 1, shapes.contexts[0]}, DType::bfloat16, shapes.block_size);
  auto* hidden = bench.scratch<float>(shapes.hidden);      // into a norm, and out of the layer
  auto* normalised = bench.scratch<float>(shapes.hidden);  // out of a norm
  auto* inner = bench.scratch<float>(2 * shapes.intermediate);
  auto* activated = bench.scratch<float>(shapes.intermediate);
  float* heads = step.args().out;
  const std::vector<Kernel> kernels = {
      norm_kernel(bench, shapes.hidden, 1, NormKind::rms, hidden, normalised),
      linear_kernel(bench, linears.qkv, type, 1, nullptr, normalised, step.qkv()),
      step.rotary_attention(),
      linear_kernel(bench, linears.attention_output, type, 1, nullptr, heads, hidden),
      norm_kernel(bench, shapes.hidden, 1, NormKind::rms, hidden, normalised),
      linear_kernel(bench, linears.gate_up, type, 1, nullptr, normalised, inner),
      activation_kernel(bench, shapes.intermediate, 1, Activation::silu, true, inner, activated),
      linear_kernel(bench, linears.down, type, 1, nullptr, activated, hidden),
  };
  if (!bench.all_exist(what, kernels)) return;
  Work work(0);
  for (const Kernel& kernel : kernels) {
    work.bytes += kernel.work.bytes;
    work.operations += kernel.work.operations;
  }
  const std::optional<Microseconds> together = bench.time(what, kernels, work.passes());
  double sum = 0;
  for (const Kernel& kernel : kernels) {
    const std::optional<Microseconds> alone = bench.time(what, {kernel}, kernel.work.passes());
    sum += alone ? alone->median : 0;
  }
  if (!together) return;
  char more[96];
  std::snprintf(more, sizeof more, ", \"sum_us\": %.3f, \"kernels\": %zu", sum, kernels.size());
  bench.tell(what, "graph", *together, work, more);
}

}  // namespace graft::bench
