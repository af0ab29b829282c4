// Random linear ops in emulated device memory, and how near to the reference a kernel must come.
#pragma once

#include <algorithm>

#include "tests/cuda/matrix_case.h"

namespace graft::kernels::testing {

struct LinearSpec {
  int64_t rows = 1, capacity = 1, in = 1;
  std::vector<int64_t> outs;
  DType dtype = DType::bfloat16;
  int64_t group_size = 0;   ///< of quantised weights
  size_t misalignment = 0;  ///< of the weights, in elements
};

class LinearCase {
 public:
  LinearCase(Random& random, const LinearSpec& spec, float x_size = 1)
      : rows_(std::vector<int32_t>{static_cast<int32_t>(spec.rows)}) {
    args.capacity = spec.capacity;
    args.in_features = spec.in;
    args.x_stride = (spec.in + 3) / 4 * 4 + 4 * random.in(0, 1);
    args.segment_count = static_cast<int32_t>(spec.outs.size());
    args.accumulate = random.in(0, 3) == 0;
    for (size_t s = 0; s < spec.outs.size(); ++s) {
      args.segments[s] = segment(random, spec, spec.outs[s]);
      out_features += spec.outs[s];
    }
    args.out_stride = out_features + random.in(0, 5);
    // Rows that this step has not are NaN: nothing may come of them.
    std::vector<float> x = random.normals(spec.capacity * args.x_stride, x_size);
    for (int64_t r = 0; r < spec.capacity; ++r) {
      for (int64_t i = r < spec.rows ? spec.in : 0; i < args.x_stride; ++i) {
        x[static_cast<size_t>(r * args.x_stride + i)] = std::nanf("");
      }
    }
    before_ = random.normals(spec.capacity * args.out_stride);
    args.rows = rows_.as<int32_t>();
    args.x = memory_.keep(x)->as<float>();
    expected = before_;
    args.out = expected.data();
    reference_of(Op::linear)->run(&args, {});
    measure();
  }

  std::vector<float> run(const Variant& variant, emulated::Order order = emulated::Order::forward) {
    DeviceMemory out(before_);
    LinearArgs mine = args;
    mine.out = out.as<float>();
    run_emulated(variant, mine, order);
    return out.read<float>();
  }

  /// Puts what is expected where a variant may leave anything.
  void forget_other_rows(std::vector<float>& got) const {
    for (int64_t r = *args.rows; r < args.capacity; ++r) {
      const auto begin = static_cast<std::ptrdiff_t>(r * args.out_stride);
      std::copy_n(expected.begin() + begin, out_features, got.begin() + begin);
    }
  }

  std::string check(const std::vector<float>& got, double rounding) const {
    return first_mistake(got, expected, sizes_, args.out_stride, rounding);
  }

  LinearArgs args = {};
  int64_t out_features = 0;
  std::vector<float> expected;

 private:
  /// 0 for what is no output.
  void measure() {
    sizes_.assign(expected.size(), 0);
    for (int64_t r = 0; r < *args.rows; ++r) {
      double* size = sizes_.data() + r * args.out_stride;
      for (int32_t s = 0; s < args.segment_count; ++s) {
        for (int64_t o = 0; o < args.segments[s].out_features; ++o) {
          *size++ = product_size(args.x + r * args.x_stride, args.segments[s], args.in_features, o) + 1e-30;
        }
      }
    }
  }

  LinearSegment segment(Random& random, const LinearSpec& spec, int64_t out) {
    LinearSegment made = {};
    made.out_features = out;
    made.weight_dtype = spec.dtype;
    made.bias_dtype = random.float_type();
    made.group_size = spec.group_size;
    if (!args.accumulate && random.coin()) memory_.fill_bias(random, made, out);
    memory_.fill(random, made, out, spec.in, spec.misalignment);
    return made;
  }

  DeviceMemory rows_;
  KeptMemory memory_;
  std::vector<float> before_;
  std::vector<double> sizes_;
};

}  // namespace graft::kernels::testing
