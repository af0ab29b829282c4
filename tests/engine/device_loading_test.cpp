// Layers on their way to a device: a rank reads its share and hardly a byte more, and has what the host's steps make.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "core/containers/placement.h"
#include "core/engine/model_plan.h"
#include "core/injection/replace_module.h"
#include "kernels/cpu/select.h"
#include "kernels/spec/weights.h"
#include "tests/containers/late_space.h"
#include "tests/engine/loaded.h"

namespace graft {
namespace {

template <class Args>
std::function<void()> work_of(kernels::Op op, const void* args) {
  return [op, copy = *static_cast<const Args*>(args)] { kernels::select(op, &copy)->run(&copy, {}); };
}

std::function<void()> kernel(kernels::Op op, const void* args) {
  return op == kernels::Op::convert_weights ? work_of<kernels::ConvertWeightsArgs>(op, args)
                                            : work_of<kernels::QuantizeGroupsArgs>(op, args);
}

// The layers after the steps of the pipeline and their placement.
std::vector<LayerTensors> layers_of(const ModelPlan& plan, WeightPlacement& placement, const Quantization& quantization,
                                    bool copy) {
  std::vector<LayerTensors> layers;
  const std::unique_ptr<Module> root = build_tree(plan.share);
  ModelLoader loader(plan.weights, plan.dtype, copy, nullptr, placement.is_deferred());
  replace_module(*root, {}, loader, [&](Module& layer, int64_t) {
    LayerTensors tensors = take_tensors(layer, placement.is_deferred());
    convert_to_dtype(tensors, plan.dtype);
    transpose_to_kernel_layout(tensors);
    quantize(tensors, quantization);
    placement.place(tensors);
    layers.push_back(std::move(tensors));
  });
  placement.finish();
  return layers;
}

void expect_bytes(const at::Tensor& found, const at::Tensor& expected, const std::string& name) {
  ASSERT_EQ(found.defined(), expected.defined()) << name;
  if (!expected.defined()) return;
  ASSERT_EQ(found.sizes(), expected.sizes()) << name;
  ASSERT_EQ(found.scalar_type(), expected.scalar_type()) << name;
  const at::Tensor whole = expected.contiguous();
  EXPECT_EQ(std::memcmp(found.const_data_ptr(), whole.const_data_ptr(), whole.nbytes()), 0) << name;
}

void expect_equal(const LinearTensors& found, const LinearTensors& expected) {
  expect_bytes(found.weight, expected.weight, expected.name);
  expect_bytes(found.bias, expected.bias, expected.name + " (bias)");
  expect_bytes(found.quantized.scales, expected.quantized.scales, expected.name + " (scales)");
}

class DeviceLoading : public testing::TestWithParam<const char*> {};

TEST_P(DeviceLoading, ARankHasAndReadsItsShare) {
  ASSERT_GE(bytes_read(), 0) << "/proc/self/io cannot be read";
  for (const char* dtype : {"float32", "bfloat16"}) {
    for (const Quantization quantization : {Quantization{}, {8, 0}, {4, 32}}) {
      for (const int64_t ranks : {2, 3}) {
        for (int64_t rank = 0; rank < ranks; ++rank) {
          EngineOptions options;
          options.dtype = dtype;
          options.weights = WeightsMode::read;  // of several ranks the files stay open, as they do for a device
          const ModelPlan plan = plan_model(case_path(GetParam()), options, {{rank, ranks, 64}, 1});
          test::LateSpace space;
          space.kernel = kernel;
          {
            WeightPlacement there(space, plan.weights.files(), {.chunk_bytes = 20'000, .chunks = 4, .readers = 2});
            WeightPlacement here(host_memory());
            const int64_t before = bytes_read();
            const std::vector<LayerTensors> found = layers_of(plan, there, quantization, false);
            const int64_t read = bytes_read() - before;
            EXPECT_LE(static_cast<double>(read), 1.05 * static_cast<double>(plan.weights.bytes)) << rank;
            const std::vector<LayerTensors> expected = layers_of(plan, here, quantization, true);
            ASSERT_EQ(found.size(), expected.size());
            for (size_t i = 0; i < found.size(); ++i) {
              for (size_t l = 0; l < found[i].query_key_value.size(); ++l) {
                expect_equal(found[i].query_key_value[l], expected[i].query_key_value[l]);
              }
              for (size_t l = 0; l < found[i].up.size(); ++l) expect_equal(found[i].up[l], expected[i].up[l]);
              expect_equal(found[i].attention_output, expected[i].attention_output);
              expect_equal(found[i].down, expected[i].down);
              expect_bytes(found[i].input_norm.weight, expected[i].input_norm.weight, "input norm");
            }
          }
          EXPECT_EQ(space.pieces(), 0);
          EXPECT_EQ(space.early_releases(), 0);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, DeviceLoading,
                         testing::Values("llama_gqa", "gpt2_plain", "bloom_six_heads", "falcon_7b", "phi3_plain",
                                         "bert_mlm"));

}  // namespace
}  // namespace graft
