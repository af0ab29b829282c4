// The kernels of a layer of experts.
#pragma once

#include <numeric>
#include <random>

#include "kernels/spec/combine_experts.h"
#include "kernels/spec/expert_linear.h"
#include "kernels/spec/route_experts.h"
#include "tests/bench/cuda/linear_bench.h"

namespace graft::bench {

/// What route_experts would make of rows that choose at random.
struct Dealt {
  std::vector<int32_t> entries, offsets;
  int64_t chosen = 0;  ///< experts that have rows

  Dealt(int32_t rows, const Shapes& shapes) : offsets(1) {
    std::mt19937 random(5);
    std::vector<std::vector<int32_t>> of(static_cast<size_t>(shapes.experts));
    std::vector<size_t> order(of.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (int32_t r = 0; r < rows; ++r) {
      std::shuffle(order.begin(), order.end(), random);
      for (int32_t s = 0; s < shapes.top_k; ++s) of[order[static_cast<size_t>(s)]].push_back(r * shapes.top_k + s);
    }
    for (const std::vector<int32_t>& mine : of) {
      entries.insert(entries.end(), mine.begin(), mine.end());
      offsets.push_back(static_cast<int32_t>(entries.size()));
      chosen += mine.empty() ? 0 : 1;
    }
  }
};

struct ExpertLinearShape {
  const char* name;
  int64_t in, out;
  bool gathered;  ///< x has a row for all experts of a token, not one for each
};

/// Bytes: weights and scales of the experts that have rows, x and out.
inline void expert_linear(Bench& bench, const Shapes& shapes, const ExpertLinearShape& shape, const WeightType& type,
                          int32_t rows) {
  const Scope scope(bench);
  const Dealt dealt(rows, shapes);
  const int64_t positions = int64_t{rows} * shapes.top_k, x_rows = shape.gathered ? rows : positions;
  ExpertLinearArgs args = {};
  args.offsets = bench.number(dealt.offsets);
  args.capacity = rows;
  args.top_k = shapes.top_k;
  args.experts = shapes.experts;
  args.in_features = args.x_stride = shape.in;
  args.x = bench.scratch<float>(x_rows * shape.in);
  if (shape.gathered) args.entries = bench.number(dealt.entries);
  args.segments[0] = {{nullptr, nullptr, type.dtype, DType::bfloat16, shape.out, nullptr, type.group}, shape.out, 1};
  args.segment_count = 1;
  args.out_stride = shape.out;
  args.out = bench.scratch<float>(positions * shape.out);
  const Work work(dealt.chosen * shape.out * (type.row_bytes(shape.in) + type.scale_bytes(shape.in)) +
                      (x_rows * shape.in + positions * shape.out) * 4,
                  2 * positions * shape.in * shape.out);
  const int64_t all = shapes.experts * shape.out;
  bench.figure(std::string("experts ") + shape.name + " " + type.name() + " x" + std::to_string(rows),
               bench.kernel(Op::expert_linear, args, work, [&bench, type, all, in = shape.in](ExpertLinearArgs& a) {
                 LinearSegment& matrix = a.segments[0].matrix;
                 matrix.weight = bench.next(all * type.row_bytes(in));
                 if (type.quantized())
                   matrix.scales = static_cast<const float*>(bench.next(all * type.scale_bytes(in)));
               }));
}

/// Bytes: logits, and four numbers of each of a row's experts.
inline void route(Bench& bench, const Shapes& shapes, int32_t rows) {
  const Scope scope(bench);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> logits(static_cast<size_t>(rows * shapes.experts));
  for (float& logit : logits) logit = normal(random);
  RouteExpertsArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.experts = args.local_experts = shapes.experts;
  args.top_k = shapes.top_k;
  args.logits = bench.copied(logits);
  args.logits_stride = shapes.experts;
  args.score = RouterScore::softmax;
  args.kind = RouterWeights::normalised;
  args.expert_ids = bench.zeros<int32_t>(rows * shapes.top_k);
  args.weights = bench.scratch<float>(rows * shapes.top_k);
  args.entries = bench.zeros<int32_t>(rows * shapes.top_k);
  args.positions = bench.zeros<int32_t>(rows * shapes.top_k);
  args.offsets = bench.zeros<int32_t>(shapes.experts + 1);
  bench.figure("experts route x" + std::to_string(rows),
               bench.kernel(Op::route_experts, args, Work(int64_t{rows} * (shapes.experts + 4 * shapes.top_k) * 4)));
}

/// Bytes: what the experts made of a row, and their sum.
inline void combine(Bench& bench, const Shapes& shapes, int32_t rows) {
  const Scope scope(bench);
  std::vector<int32_t> positions(static_cast<size_t>(rows * shapes.top_k));
  std::iota(positions.begin(), positions.end(), 0);
  std::shuffle(positions.begin(), positions.end(), std::mt19937(5));
  CombineExpertsArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.top_k = shapes.top_k;
  args.width = args.x_stride = args.out_stride = shapes.expert_hidden;
  args.positions = bench.number(positions);
  args.weights = bench.scratch<float>(rows * shapes.top_k);
  args.x = bench.scratch<float>(rows * shapes.top_k * shapes.expert_hidden);
  args.out = bench.scratch<float>(rows * shapes.expert_hidden);
  bench.figure(
      "experts combine x" + std::to_string(rows),
      bench.kernel(Op::combine_experts, args, Work(int64_t{rows} * (shapes.top_k + 1) * shapes.expert_hidden * 4)));
}

inline void expert_layer(Bench& bench, const Shapes& shapes, int32_t rows) {
  const ExpertLinearShape gate_up = {"gate + up", shapes.expert_hidden, 2 * shapes.expert_intermediate, true};
  const ExpertLinearShape down = {"down", shapes.expert_intermediate, shapes.expert_hidden, false};
  route(bench, shapes, rows);
  for (const WeightType& type : {bf16, int8, int4}) {
    expert_linear(bench, shapes, gate_up, type, rows);
    expert_linear(bench, shapes, down, type, rows);
  }
  combine(bench, shapes, rows);
}

/// float32 weights, and rows that are not whole 16 bytes.
inline void other_experts(Bench& bench, const Shapes& shapes) {
  const ExpertLinearShape odd = {"odd width", shapes.expert_intermediate + 1, shapes.expert_hidden, true};
  expert_linear(bench, shapes, {"down", shapes.expert_intermediate, shapes.expert_hidden, false}, fp32, 1);
  expert_linear(bench, shapes, odd, bf16, 1);
  const ExpertLinearShape gate_up = {"gate + up", shapes.expert_hidden, 2 * shapes.expert_intermediate, true};
  for (const WeightType& type : {fp16, WeightType{DType::int4, 64}}) expert_linear(bench, shapes, gate_up, type, 1);
}

}  // namespace graft::bench
