// What the cases of linear and expert_linear share: random weights of every type in emulated device memory, and how
// near to the reference a kernel must come.
#pragma once

#include <cmath>
#include <memory>

#include "kernels/spec/linear.h"
#include "kernels/spec/quantized.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {

/// Pieces of device memory that live as long as it does.
class KeptMemory {
 public:
  template <class T>
  DeviceMemory* keep(const std::vector<T>& values, size_t misalignment = 0) {
    memory_.push_back(std::make_unique<DeviceMemory>(values, misalignment));
    return memory_.back().get();
  }

  /// Gives a matrix, whose types and group size are set, `rows` random rows of weights, and scales where it is
  /// quantised; misalignment in elements.
  void fill(Random& random, LinearSegment& matrix, int64_t rows, int64_t in, size_t misalignment) {
    const DType dtype = matrix.weight_dtype;
    if (!is_quantized(dtype)) {
      const size_t off = misalignment * static_cast<size_t>(float_dtype_bytes(dtype));
      matrix.weight = keep(typed(dtype, random.normals(rows * in, 0.5f)), off)->data();
      return;
    }
    std::vector<unsigned char> bytes(static_cast<size_t>(rows * quantized_row_bytes(in, dtype)));
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random.in(0, 255));
    matrix.weight = keep(bytes, misalignment)->data();
    const int64_t groups = rows * quantized_groups(in, matrix.group_size);
    matrix.scales = keep(random.normals(groups, dtype == DType::int8 ? 0.007f : 0.1f))->template as<float>();
  }
  void fill_bias(Random& random, LinearSegment& matrix, int64_t rows) {
    matrix.bias = keep(typed(matrix.bias_dtype, random.normals(rows)))->data();
  }

 private:
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
};

/// Root of the sum of the squares of the products of one row of x with one row of weights: what errors are measured by.
inline double product_size(const float* x, const LinearSegment& matrix, int64_t in, int64_t row) {
  double sum = 0;
  for (int64_t i = 0; i < in; ++i) {
    const double product = double{x[i]} * load_weight(matrix, in, row, i);
    sum += product * product;
  }
  return std::sqrt(sum);
}

/// Empty when `got` is right to within float32 sums plus `rounding`, the relative error of one product, and untouched
/// where `sizes`, the product_size of each output, is 0.
inline std::string first_mistake(const std::vector<float>& got, const std::vector<float>& expected,
                                 const std::vector<double>& sizes, int64_t stride, double rounding) {
  for (size_t i = 0; i < expected.size(); ++i) {
    // Six deviations of a sum of independent errors.
    const double bound = sizes[i] == 0 ? 0 : (3e-6 + 6 * rounding) * sizes[i] + 1e-6 * std::abs(expected[i]) + 1e-6;
    if (std::abs(static_cast<double>(got[i]) - expected[i]) <= bound) continue;
    const auto at = static_cast<int64_t>(i);
    return "row " + std::to_string(at / stride) + ", column " + std::to_string(at % stride) + ": " +
           std::to_string(got[i]) + ", expected " + std::to_string(expected[i]);
  }
  return "";
}

/// `run(order)` gives what the variant makes of a case: near enough to the reference in every order of threads, and the
/// same bits in all of them.
template <class Case, class Run>
void expect_right_in_all_orders(Random& random, const Case& test, const Variant& variant, double rounding, Run run) {
  const std::vector<float> first = run(emulated::Order::forward);
  EXPECT_EQ(test.check(first, rounding), "") << variant.name;
  if (!random.coin()) return;
  EXPECT_EQ(run(emulated::Order::reverse), first) << variant.name;
  EXPECT_EQ(run(emulated::Order::shuffled), first) << variant.name;
}

/// x counts with the 16 bits of two bfloat16 numbers; with those of two float16 ones, float32 sums are all that errs.
inline double gemv_rounding(DType dtype) { return dtype == DType::bfloat16 ? 0x1p-16 * 0.42 : 0; }

}  // namespace graft::kernels::testing
