// What loading does to weights on the device: other types, other order, integers. Bytes: what is read and written.
#pragma once

#include "kernels/spec/weights.h"
#include "tests/bench/cuda/linear_bench.h"

namespace graft::bench {

/// A matrix of [rows, width], or one of [width, rows] that is transposed on the way.
struct StoredMatrix {
  int64_t rows, width;
  WeightType type;
  bool transposed;

  int64_t bytes() const { return rows * type.row_bytes(width); }
  int64_t row_stride() const { return transposed ? 1 : width; }
  int64_t column_stride() const { return transposed ? rows : 1; }
  std::string name() const { return type.name() + (transposed ? " transposed" : ""); }
};

inline void convert_weights(Bench& bench, const StoredMatrix& from, const WeightType& to) {
  const Scope scope(bench);
  const int64_t bytes = from.rows * to.row_bytes(from.width);
  ConvertWeightsArgs args = {};
  args.rows = from.rows;
  args.width = from.width;
  args.row_stride = from.row_stride();
  args.column_stride = from.column_stride();
  args.x_dtype = from.type.dtype;
  args.out_dtype = to.dtype;
  bench.figure(
      "convert weights, " + from.name() + " to " + to.name(),
      bench.kernel(Op::convert_weights, args, Work(from.bytes() + bytes), [&bench, from, bytes](ConvertWeightsArgs& a) {
        a.x = bench.next(from.bytes());
        a.out = bench.next(bytes);
      }));
}

inline void quantize_groups(Bench& bench, const StoredMatrix& from, const WeightType& to) {
  const Scope scope(bench);
  const int64_t bytes = from.rows * to.row_bytes(from.width), scale_bytes = from.rows * to.scale_bytes(from.width);
  QuantizeGroupsArgs args = {};
  args.rows = from.rows;
  args.width = from.width;
  args.row_stride = from.row_stride();
  args.column_stride = from.column_stride();
  args.x_dtype = from.type.dtype;
  args.via = DType::bfloat16;
  args.group_size = to.group;
  args.out_dtype = to.dtype;
  args.number = 1;
  args.unfit = bench.zeros<int32_t>(1);
  bench.figure("quantize groups, " + from.name() + " to " + to.name(),
               bench.kernel(Op::quantize_groups, args, Work(from.bytes() + bytes + scale_bytes),
                            [&bench, from, bytes, scale_bytes](QuantizeGroupsArgs& a) {
                              a.x = bench.next(from.bytes());
                              a.out = bench.next(bytes);
                              a.scales = static_cast<float*>(bench.next(scale_bytes));
                            }));
}

inline void weights(Bench& bench, const Shapes& shapes) {
  const int64_t rows = shapes.hidden, width = shapes.hidden / 2;
  convert_weights(bench, {rows, width, fp32, false}, bf16);
  convert_weights(bench, {rows, width, fp16, false}, bf16);
  convert_weights(bench, {rows, width, bf16, true}, bf16);
  for (const WeightType& to : {int8, int4}) {
    quantize_groups(bench, {rows, width, bf16, false}, to);
    quantize_groups(bench, {rows, width, bf16, true}, to);
  }
}

}  // namespace graft::bench
