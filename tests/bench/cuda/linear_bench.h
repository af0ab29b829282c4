// Linear ops: one row as in decoding, up to 8, and many; weights of every type, by every kernel.
#pragma once

#include "kernels/spec/linear.h"
#include "kernels/spec/quantized.h"
#include "tests/bench/cuda/kernel_bench.h"
#include "tests/bench/cuda/shapes.h"

namespace graft::bench {

struct LinearShape {
  const char* name;
  int64_t in;
  std::vector<int64_t> out;
};

/// How weights are kept. `group`: weights that share a scale, of integers.
struct WeightType {
  DType dtype;
  int64_t group = 0;

  bool quantized() const { return is_quantized(dtype); }
  int64_t row_bytes(int64_t in) const {
    return quantized() ? quantized_row_bytes(in, dtype) : in * float_dtype_bytes(dtype);
  }
  int64_t scale_bytes(int64_t in) const { return quantized() ? quantized_groups(in, group) * 4 : 0; }
  std::string name() const {
    switch (dtype) {
      case DType::float32:
        return "fp32";
      case DType::bfloat16:
        return "bf16";
      case DType::float16:
        return "fp16";
      default:
        return (dtype == DType::int8 ? "int8-g" : "int4-g") + std::to_string(group);
    }
  }
};

constexpr WeightType bf16 = {DType::bfloat16}, fp16 = {DType::float16}, fp32 = {DType::float32};
constexpr WeightType int8 = {DType::int8, 128}, int4 = {DType::int4, 128};

struct LinearShapes {
  LinearShape qkv, attention_output, gate_up, down, head;
  LinearShape odd;  ///< whose rows are not whole 16 bytes in any type

  explicit LinearShapes(const Shapes& s)
      : qkv{"qkv", s.hidden, {s.heads.queries * s.heads.dim, s.heads.kv * s.heads.dim, s.heads.kv * s.heads.dim}},
        attention_output{"attention output", s.heads.queries * s.heads.dim, {s.hidden}},
        gate_up{"gate + up", s.hidden, {s.intermediate, s.intermediate}},
        down{"down", s.intermediate, {s.hidden}},
        head{"head", s.hidden, {s.vocabulary}},
        odd{"odd width", s.hidden + 1, {s.hidden}} {}
};

/// Bytes: weights and scales, x and out. `x` and `out`: where they are given, [rows, in] and [rows, outputs].
inline Kernel linear_kernel(Bench& bench, const LinearShape& shape, const WeightType& type, int32_t rows,
                            const char* variant = nullptr, const float* x = nullptr, float* out = nullptr) {
  LinearArgs args = {};
  int64_t bytes = 0, total = 0;
  for (const int64_t outputs : shape.out) {
    LinearSegment& segment = args.segments[args.segment_count++];
    segment.weight_dtype = type.dtype;
    segment.out_features = outputs;
    segment.group_size = type.group;
    bytes += outputs * (type.row_bytes(shape.in) + type.scale_bytes(shape.in));
    total += outputs;
  }
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.in_features = args.x_stride = shape.in;
  args.x = x != nullptr ? x : bench.scratch<float>(rows * shape.in);
  args.out_stride = total;
  args.out = out != nullptr ? out : bench.scratch<float>(rows * total);
  const Work work(bytes + rows * (shape.in + total) * 4, 2 * total * shape.in * rows, variant);
  return bench.kernel(Op::linear, args, work, [&bench, type, in = shape.in](LinearArgs& a) {
    for (int32_t s = 0; s < a.segment_count; ++s) {
      LinearSegment& segment = a.segments[s];
      segment.weight = bench.next(segment.out_features * type.row_bytes(in));
      if (!type.quantized()) continue;
      segment.scales = static_cast<const float*>(bench.next(segment.out_features * type.scale_bytes(in)));
    }
  });
}

inline void linear(Bench& bench, const LinearShape& shape, const WeightType& type, int32_t rows,
                   const char* variant = nullptr) {
  const Scope scope(bench);
  bench.figure(std::string("linear ") + shape.name + " " + type.name() + " x" + std::to_string(rows),
               linear_kernel(bench, shape, type, rows, variant));
}

/// By cuBLASLt, where that could be started, and by Graft's own kernel, which would else stand in for it.
inline void linear_by_both(Bench& bench, const LinearShape& shape, const WeightType& type, int32_t rows) {
  const bool integers = type.quantized();
  if (bench.has_library()) {
    linear(bench, shape, type, rows, integers ? "linear.cublaslt.quantized.sm80" : "linear.cublaslt.sm80");
  }
  linear(bench, shape, type, rows, integers ? "linear.gemm.quantized.sm80" : "linear.gemm.sm80");
}

/// All matrices of a token.
inline void linears_of_token(Bench& bench, const LinearShapes& shapes) {
  for (const WeightType& type : {bf16, int8, int4}) {
    for (const LinearShape* shape :
         {&shapes.qkv, &shapes.attention_output, &shapes.gate_up, &shapes.down, &shapes.head}) {
      linear(bench, *shape, type, 1);
    }
  }
}

inline void linears_of_many_rows(Bench& bench, const LinearShapes& shapes, const Shapes& all) {
  const LinearShape& shape = shapes.gate_up;
  for (const WeightType& type : {bf16, int8, int4}) {
    for (const int32_t rows : all.few_rows) linear(bench, shape, type, rows);
    for (const int32_t rows : all.many_rows) {
      if (type.quantized() && rows < all.library_rows) {
        linear(bench, shape, type, rows);
      } else {
        linear_by_both(bench, shape, type, rows);
      }
    }
  }
}

/// What is rarer: float16 and float32 weights, smaller groups, and what the fast kernels leave.
inline void other_linears(Bench& bench, const LinearShapes& shapes, const Shapes& all) {
  const int32_t few = all.few_rows.back(), some = all.many_rows[1];
  for (const int32_t rows : {1, few}) linear(bench, shapes.gate_up, fp16, rows);
  for (const int32_t rows : {all.many_rows.front(), some, all.many_rows.back()}) {
    linear_by_both(bench, shapes.gate_up, fp16, rows);
  }
  for (const WeightType& type : {WeightType{DType::int8, 64}, WeightType{DType::int4, 64}}) {
    for (const LinearShape* shape : {&shapes.gate_up, &shapes.down}) linear(bench, *shape, type, 1);
    for (const int32_t rows : {few, some}) linear(bench, shapes.gate_up, type, rows);
  }
  for (const int32_t rows : {1, few, some}) linear(bench, shapes.attention_output, fp32, rows);
  for (const WeightType& type : {bf16, int8}) linear(bench, shapes.odd, type, 1);
  linear(bench, shapes.odd, bf16, some);
}

}  // namespace graft::bench
