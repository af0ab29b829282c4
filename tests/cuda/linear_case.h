// Random linear ops in emulated device memory, and how near to the reference a kernel must come.
#pragma once

#include <cmath>
#include <memory>

#include "kernels/spec/linear.h"
#include "kernels/spec/quantized.h"
#include "tests/cuda/support.h"

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
    args.x = keep(x)->as<float>();
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

  /// Empty when `got` is right to within float32 sums plus `rounding`, the relative error of one product, and untouched
  /// outside of the outputs.
  std::string check(const std::vector<float>& got, double rounding) const {
    for (size_t i = 0; i < expected.size(); ++i) {
      // Six deviations of a sum of independent errors.
      const double bound = sizes_[i] == 0 ? 0 : (3e-6 + 6 * rounding) * sizes_[i] + 1e-6 * std::abs(expected[i]) + 1e-6;
      if (std::abs(static_cast<double>(got[i]) - expected[i]) <= bound) continue;
      const auto at = static_cast<int64_t>(i);
      return "row " + std::to_string(at / args.out_stride) + ", column " + std::to_string(at % args.out_stride) + ": " +
             std::to_string(got[i]) + ", expected " + std::to_string(expected[i]);
    }
    return "";
  }

  LinearArgs args = {};
  int64_t out_features = 0;
  std::vector<float> expected;

 private:
  template <class T>
  DeviceMemory* keep(const std::vector<T>& values, size_t misalignment = 0) {
    memory_.push_back(std::make_unique<DeviceMemory>(values, misalignment));
    return memory_.back().get();
  }

  /// Root of the sum of the squares of an output's products; 0 for what is no output.
  void measure() {
    sizes_.assign(expected.size(), 0);
    for (int64_t r = 0; r < *args.rows; ++r) {
      double* size = sizes_.data() + r * args.out_stride;
      for (int32_t s = 0; s < args.segment_count; ++s) {
        for (int64_t o = 0; o < args.segments[s].out_features; ++o) {
          double sum = 0;
          for (int64_t i = 0; i < args.in_features; ++i) {
            const double product =
                double{args.x[r * args.x_stride + i]} * load_weight(args.segments[s], args.in_features, o, i);
            sum += product * product;
          }
          *size++ = std::sqrt(sum) + 1e-30;
        }
      }
    }
  }

  LinearSegment segment(Random& random, const LinearSpec& spec, int64_t out) {
    LinearSegment made = {};
    made.out_features = out;
    made.weight_dtype = spec.dtype;
    made.bias_dtype = random.float_type();
    if (!args.accumulate && random.coin()) made.bias = keep(typed(made.bias_dtype, random.normals(out)))->data();
    if (!is_quantized(spec.dtype)) {
      const size_t off = spec.misalignment * static_cast<size_t>(float_dtype_bytes(spec.dtype));
      made.weight = keep(typed(spec.dtype, random.normals(out * spec.in, 0.5f)), off)->data();
      return made;
    }
    std::vector<unsigned char> bytes(static_cast<size_t>(out * quantized_row_bytes(spec.in, spec.dtype)));
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random.in(0, 255));
    made.weight = keep(bytes, spec.misalignment)->data();
    made.group_size = spec.group_size;
    const int64_t groups = out * quantized_groups(spec.in, spec.group_size);
    made.scales = keep(random.normals(groups, spec.dtype == DType::int8 ? 0.007f : 0.1f))->as<float>();
    return made;
  }

  DeviceMemory rows_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
  std::vector<float> before_;
  std::vector<double> sizes_;
};

}  // namespace graft::kernels::testing
