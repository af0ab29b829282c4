// Weights placed on a device are bit for bit what the steps of the pipeline make of them on the host.
#include "core/containers/placement.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "core/base/status.h"
#include "core/model/torch_dtype.h"
#include "kernels/cpu/select.h"
#include "kernels/spec/weights.h"
#include "tests/containers/late_space.h"

namespace graft {
namespace {

using test::LateSpace;

template <class Args>
std::function<void()> work_of(kernels::Op op, const void* args) {
  return [op, copy = *static_cast<const Args*>(args)] { kernels::select(op, &copy)->run(&copy, {}); };
}

class PlacementTest : public testing::Test {
 protected:
  PlacementTest() {
    at::manual_seed(1);
    space_.kernel = [this](kernels::Op op, const void* args) -> std::function<void()> {
      ++kernels_;
      if (op == kernels::Op::convert_weights) return work_of<kernels::ConvertWeightsArgs>(op, args);
      if (op == kernels::Op::quantize_groups) return work_of<kernels::QuantizeGroupsArgs>(op, args);
      return nullptr;
    };
  }
  ~PlacementTest() override {
    EXPECT_EQ(space_.pieces(), 0) << "memory that was not given back";
    EXPECT_EQ(space_.early_releases(), 0) << "given back while it was worked on";
  }

  // On both ways, in chunks of every size; `expected` has been through the host's steps.
  void expect_equal(const LinearTensors& deferred) {
    LinearTensors expected = deferred;
    do_deferred(expected);
    for (const int64_t chunk : {1 << 16, 4096, 1024}) {
      WeightPlacement placement(space_, {}, {.chunk_bytes = chunk, .chunks = 3, .readers = 2});
      const LinearTensors found = placement.placed(deferred);
      placement.finish();
      expect_bytes(found.weight, expected.weight);
      if (deferred.deferred->quantization.bits == 0) continue;
      EXPECT_EQ(found.quantized.dtype, expected.quantized.dtype);
      EXPECT_EQ(found.quantized.group_size, expected.quantized.group_size);
      EXPECT_EQ(found.in_features(), expected.in_features());
      expect_bytes(found.quantized.scales, expected.quantized.scales);
    }
  }

  static void expect_bytes(const at::Tensor& found, const at::Tensor& expected) {
    ASSERT_EQ(found.sizes(), expected.sizes());
    ASSERT_EQ(found.scalar_type(), expected.scalar_type());
    ASSERT_TRUE(expected.is_contiguous());
    EXPECT_EQ(std::memcmp(found.const_data_ptr(), expected.const_data_ptr(), expected.nbytes()), 0);
  }

  LateSpace space_;
  int64_t kernels_ = 0;
};

const std::vector<std::vector<Range>> some_rows = {{}, {{3, 5}, {0, 2}, {20, 41}}};

TEST_F(PlacementTest, EveryTypeLayoutAndQuantisation) {
  for (const DType stored : {DType::float32, DType::bfloat16, DType::float16}) {
    const at::Tensor wide = at::randn({64, 96}) * 0.02;
    const at::Tensor matrix = wide.to(torch_dtype(stored));
    const at::Tensor conv1d = wide.t().contiguous().to(torch_dtype(stored)).t();
    const at::Tensor columns = matrix.narrow(1, 5, 33);  // of a rank
    for (const at::Tensor& weight : {matrix, conv1d, columns}) {
      for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16}) {
        for (const Quantization quantization : {Quantization{0, 0}, {8, 0}, {8, 32}, {4, 32}, {4, 7}}) {
          for (const auto& rows : some_rows) {
            LinearTensors linear{weight, {}, LinearLayout::out_in, "layers.0.weight"};
            linear.deferred = {dtype, rows, quantization};
            expect_equal(linear);
          }
        }
      }
    }
  }
  EXPECT_GT(kernels_, 100);
}

TEST_F(PlacementTest, RowsThatFitIntoNoChunkAreWorkedOnHere) {
  LinearTensors linear{at::randn({3, 700}), {}, LinearLayout::out_in, "weight"};
  linear.deferred = {DType::bfloat16, {}, {8, 0}};
  WeightPlacement placement(space_, {}, {.chunk_bytes = 1024, .chunks = 3, .readers = 2});
  const LinearTensors found = placement.placed(linear);
  placement.finish();
  do_deferred(linear);
  expect_bytes(found.weight, linear.weight);
  expect_bytes(found.quantized.scales, linear.quantized.scales);
  EXPECT_EQ(kernels_, 0);
}

TEST_F(PlacementTest, TablesChangeTheirType) {
  const at::Tensor table = at::randn({100, 24}).to(at::kBFloat16);
  WeightPlacement placement(space_, {}, {.chunk_bytes = 1024, .chunks = 3, .readers = 2});
  const at::Tensor same = placement.placed(table), wide = placement.placed(table, DType::float32),
                   half = placement.placed(table.narrow(0, 7, 50), DType::float16);
  EXPECT_FALSE(placement.placed(at::Tensor(), DType::float32).defined());
  placement.finish();
  expect_bytes(same, table);
  expect_bytes(wide, table.to(at::kFloat));
  expect_bytes(half, table.narrow(0, 7, 50).to(at::kHalf));
  EXPECT_GT(kernels_, 0);
}

TEST_F(PlacementTest, WhatIsNotFiniteIsNamed) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    WeightPlacement placement(space_, {}, {.chunk_bytes = 1024, .chunks = 3, .readers = 2});
    std::vector<LinearTensors> placed;
    for (int i = 0; i < 3; ++i) {
      LinearTensors linear{at::randn({30, 40}), {}, LinearLayout::out_in, "layers." + std::to_string(i) + ".weight"};
      if (i == 1) linear.weight[29][39] = value;
      linear.deferred = {DType::bfloat16, {}, {4, 32}};
      placed.push_back(placement.placed(linear));
    }
    try {
      placement.finish();
      ADD_FAILURE() << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::corrupt_data);
      EXPECT_NE(std::string(error.what()).find("'layers.1.weight'"), std::string::npos) << error.what();
    }
  }
}

TEST_F(PlacementTest, InHostMemoryTensorsStayWhereTheyAre) {
  WeightPlacement placement(host_memory());
  EXPECT_FALSE(placement.is_deferred());
  const at::Tensor tensor = at::randn({3, 4});
  EXPECT_EQ(placement.placed(tensor).const_data_ptr(), tensor.const_data_ptr());
  placement.finish();
}

}  // namespace
}  // namespace graft
