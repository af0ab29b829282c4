// The kernels of a layer of experts, at the shapes of Qwen3-30B-A3B.
#pragma once

#include <numeric>
#include <random>

#include "kernels/spec/combine_experts.h"
#include "kernels/spec/expert_linear.h"
#include "kernels/spec/quantized.h"
#include "kernels/spec/route_experts.h"
#include "tests/bench/cuda/kernel_bench.h"

namespace graft::bench {

constexpr int32_t experts = 128, top_k = 8;
constexpr int64_t hidden = 2048, intermediate = 768;

/// What route_experts would make of rows that choose at random.
struct Dealt {
  std::vector<int32_t> entries, offsets;
  int64_t chosen = 0;  ///< experts that have rows

  explicit Dealt(int32_t rows) : offsets(1) {
    std::mt19937 random(5);
    std::vector<std::vector<int32_t>> of(experts);
    std::vector<size_t> order(experts);
    std::iota(order.begin(), order.end(), size_t{0});
    for (int32_t r = 0; r < rows; ++r) {
      std::shuffle(order.begin(), order.end(), random);
      for (int32_t s = 0; s < top_k; ++s) of[order[static_cast<size_t>(s)]].push_back(r * top_k + s);
    }
    for (const std::vector<int32_t>& mine : of) {
      entries.insert(entries.end(), mine.begin(), mine.end());
      offsets.push_back(static_cast<int32_t>(entries.size()));
      chosen += mine.empty() ? 0 : 1;
    }
  }
};

// Bytes: the weights of the experts that have rows.
inline void expert_linear(Bench& bench, const char* name, int64_t in, int64_t out, DType dtype, int32_t rows,
                          bool gathered) {
  constexpr int64_t group = 128;
  const bool quantized = is_quantized(dtype);
  const int64_t row_bytes = quantized ? quantized_row_bytes(in, dtype) : in * float_dtype_bytes(dtype);
  const int64_t scale_bytes = quantized ? quantized_groups(in, group) * 4 : 0;
  const int64_t before = bench.small_taken;
  const Dealt dealt(rows);
  ExpertLinearArgs args = {};
  args.offsets = bench.number(dealt.offsets);
  args.capacity = rows;
  args.top_k = top_k;
  args.experts = experts;
  args.in_features = args.x_stride = in;
  args.x = bench.scratch<float>((gathered ? rows : rows * top_k) * in);
  if (gathered) args.entries = bench.number(dealt.entries);
  const auto* scales = quantized ? reinterpret_cast<const float*>(bench.pool) : nullptr;
  args.segments[0] = {{bench.pool, nullptr, dtype, DType::bfloat16, out, scales, quantized ? group : 0}, out, 1};
  args.segment_count = 1;
  args.out_stride = out;
  args.out = bench.scratch<float>(int64_t{rows} * top_k * out);
  bench.figure(std::string("experts ") + name + " " + name_of(dtype) + " x" + std::to_string(rows), Op::expert_linear,
               args, dealt.chosen * out * (row_bytes + scale_bytes), [&](ExpertLinearArgs& a) {
                 a.segments[0].matrix.weight = bench.next(experts * out * row_bytes);
                 if (quantized) {
                   a.segments[0].matrix.scales = static_cast<const float*>(bench.next(experts * out * scale_bytes));
                 }
               });
  bench.small_taken = before;
}

inline void route(Bench& bench, int32_t rows) {
  const int64_t before = bench.small_taken;
  RouteExpertsArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.experts = args.local_experts = experts;
  args.top_k = top_k;
  args.logits_stride = experts;
  args.score = RouterScore::softmax;
  args.kind = RouterWeights::normalised;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> logits(static_cast<size_t>(rows * experts));
  for (float& logit : logits) logit = normal(random);
  auto* there = bench.scratch<float>(rows * experts);
  check(cudaMemcpy(there, logits.data(), logits.size() * sizeof(float), cudaMemcpyHostToDevice), "copy");
  args.logits = there;
  args.expert_ids = bench.scratch<int32_t>(rows * top_k);
  args.weights = bench.scratch<float>(rows * top_k);
  args.entries = bench.scratch<int32_t>(rows * top_k);
  args.positions = bench.scratch<int32_t>(rows * top_k);
  args.offsets = bench.scratch<int32_t>(experts + 1);
  bench.figure("experts route x" + std::to_string(rows), Op::route_experts, args,
               int64_t{rows} * (experts + 4 * top_k) * 4, [](RouteExpertsArgs&) {});
  bench.small_taken = before;
}

inline void combine(Bench& bench, int32_t rows) {
  const int64_t before = bench.small_taken;
  std::vector<int32_t> positions(static_cast<size_t>(rows * top_k));
  std::iota(positions.begin(), positions.end(), 0);
  std::shuffle(positions.begin(), positions.end(), std::mt19937(5));
  CombineExpertsArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.top_k = top_k;
  args.width = args.x_stride = args.out_stride = hidden;
  args.positions = bench.number(positions);
  args.weights = bench.scratch<float>(rows * top_k);
  args.x = bench.scratch<float>(rows * top_k * hidden);
  args.out = bench.scratch<float>(rows * hidden);
  bench.figure("experts combine x" + std::to_string(rows), Op::combine_experts, args,
               int64_t{rows} * (top_k + 1) * hidden * 4, [](CombineExpertsArgs&) {});
  bench.small_taken = before;
}

inline void expert_layer(Bench& bench, int32_t rows) {
  route(bench, rows);
  for (const DType dtype : {DType::bfloat16, DType::int4}) {
    expert_linear(bench, "gate + up", hidden, 2 * intermediate, dtype, rows, true);
    expert_linear(bench, "down", intermediate, hidden, dtype, rows, false);
  }
  combine(bench, rows);
}

}  // namespace graft::bench
