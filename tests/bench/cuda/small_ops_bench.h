// The ops between the products of a layer, and those at the beginning and at the end of a step.
#pragma once

#include <random>

#include "kernels/spec/activation.h"
#include "kernels/spec/embedding.h"
#include "kernels/spec/gather_rows.h"
#include "kernels/spec/residual_norm.h"
#include "tests/bench/cuda/linear_bench.h"

namespace graft::bench {

/// Nothing for one row, which is what most figures are of.
inline std::string of_rows(int32_t rows) { return rows == 1 ? "" : " x" + std::to_string(rows); }

/// Bytes: residual and delta read, residual and out written, weights. Other memory where it is given.
inline Kernel norm_kernel(Bench& bench, int64_t width, int32_t rows, NormKind kind = NormKind::rms,
                          float* delta = nullptr, float* out = nullptr) {
  const bool layer = kind == NormKind::layer;
  ResidualNormArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.width = width;
  args.residual = bench.scratch<float>(rows * width);
  args.delta = delta != nullptr ? delta : bench.scratch<float>(rows * width);
  args.kind = kind;
  args.weight = bench.scratch<uint16_t>(width);
  if (layer) args.bias = bench.scratch<uint16_t>(width);
  args.weight_dtype = DType::bfloat16;
  args.epsilon = 1e-5f;
  args.out = out != nullptr ? out : bench.scratch<float>(rows * width);
  return bench.kernel(Op::residual_norm, args, Work(width * (rows * 4 * 4 + (layer ? 4 : 2))));
}

inline void norm(Bench& bench, int64_t width, int32_t rows, NormKind kind = NormKind::rms) {
  const Scope scope(bench);
  bench.figure((kind == NormKind::layer ? "residual + layer norm" : "residual + norm") + of_rows(rows),
               norm_kernel(bench, width, rows, kind));
}

/// Bytes: x and out.
inline Kernel activation_kernel(Bench& bench, int64_t width, int32_t rows, Activation kind, bool gated,
                                const float* x = nullptr, float* out = nullptr) {
  const int64_t parts = gated ? 2 : 1;
  ActivationArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.width = width;
  args.kind = kind;
  args.gated = gated;
  args.x = x != nullptr ? x : bench.scratch<float>(rows * parts * width);
  args.x_stride = parts * width;
  args.out = out != nullptr ? out : bench.scratch<float>(rows * width);
  args.out_stride = width;
  return bench.kernel(Op::activation, args, Work(rows * width * (parts + 1) * 4));
}

inline void activation(Bench& bench, int64_t width, int32_t rows, Activation kind, bool gated) {
  const Scope scope(bench);
  bench.figure((gated ? "gated activation" : "activation") + of_rows(rows),
               activation_kernel(bench, width, rows, kind, gated));
}

/// Bytes: the rows of the table that are wanted, in bfloat16, and out.
inline void embedding(Bench& bench, const Shapes& shapes, int32_t rows) {
  const Scope scope(bench);
  std::mt19937 random(5);
  std::uniform_int_distribution<int32_t> token(0, static_cast<int32_t>(shapes.vocabulary) - 1);
  std::vector<int32_t> ids(static_cast<size_t>(rows));
  for (int32_t& id : ids) id = token(random);
  EmbeddingArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.ids = bench.number(ids);
  args.dtype = DType::bfloat16;
  args.width = shapes.hidden;
  args.scale = 1;
  args.out = bench.scratch<float>(rows * shapes.hidden);
  const int64_t table_bytes = shapes.vocabulary * shapes.hidden * 2;
  bench.figure("embedding" + of_rows(rows),
               bench.kernel(Op::embedding, args, Work(rows * shapes.hidden * (2 + 4)),
                            [&bench, table_bytes](EmbeddingArgs& a) { a.table = bench.next(table_bytes); }));
}

/// The last rows of a full step. Bytes: those rows and out.
inline void gather_rows(Bench& bench, const Shapes& shapes, int32_t rows) {
  const Scope scope(bench);
  std::vector<int32_t> indices;
  for (int32_t r = 0; r < rows; ++r) indices.push_back(shapes.step - rows + r);
  GatherRowsArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.indices = bench.number(indices);
  args.width = shapes.hidden;
  args.x = bench.scratch<float>(shapes.step * shapes.hidden);
  args.out = bench.scratch<float>(rows * shapes.hidden);
  bench.figure("gather rows" + of_rows(rows), bench.kernel(Op::gather_rows, args, Work(rows * shapes.hidden * 2 * 4)));
}

/// The angles of a step of one sequence. Bytes: cosines and sines.
inline void rotary_table(Bench& bench, const Shapes& shapes, int32_t rows) {
  const Scope scope(bench);
  const int32_t pairs = shapes.heads.dim / 2;
  std::vector<int32_t> positions(static_cast<size_t>(rows));
  std::iota(positions.begin(), positions.end(), 0);
  RotaryTableArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.positions = bench.number(positions);
  args.sequence_of = bench.zeros<int32_t>(rows);
  args.planned_lengths = bench.number({rows});
  args.pairs = pairs;
  args.inverse_frequency = bench.scratch<float>(pairs);
  args.attention_factor = 1;
  args.long_attention_factor = 1;
  args.cosine = bench.scratch<float>(int64_t{rows} * pairs);
  args.sine = bench.scratch<float>(int64_t{rows} * pairs);
  bench.figure("rotary table" + of_rows(rows),
               bench.kernel(Op::rotary_table, args, Work(int64_t{rows} * pairs * 2 * 4)));
}

inline void small_ops(Bench& bench, const Shapes& shapes, int32_t rows) {
  norm(bench, shapes.hidden, rows);
  activation(bench, shapes.intermediate, rows, Activation::silu, true);
  embedding(bench, shapes, rows);
  rotary_table(bench, shapes, rows);
}

inline void other_small_ops(Bench& bench, const Shapes& shapes) {
  for (const int32_t rows : {1, shapes.step}) {
    norm(bench, shapes.hidden, rows, NormKind::layer);
    activation(bench, shapes.intermediate, rows, Activation::gelu_tanh, false);
  }
  for (const int32_t rows : {1, shapes.sequences.back()}) gather_rows(bench, shapes, rows);
}

}  // namespace graft::bench
