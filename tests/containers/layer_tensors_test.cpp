#include "core/containers/layer_tensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/status.h"
#include "kernels/spec/quantized.h"

namespace graft {
namespace {

// A GPT-2 block of width 2 with Conv1D weights, parameters 0, 1, 2, ...
std::unique_ptr<Module> make_block() {
  Blueprint blueprint;
  BlueprintBuilder tree(blueprint);
  const NormConfig norm{NormKind::layer, 1e-5, 0};
  tree.open_layer(0, "Block");
  tree.norm("ln_1", Role::input_norm, "LayerNorm", 2, norm);
  tree.conv1d("c_attn", Role::query_key_value, 2, 6);
  tree.conv1d("c_proj", Role::attention_output, 2, 2);
  tree.norm("ln_2", Role::feed_forward_norm, "LayerNorm", 2, norm);
  tree.conv1d("c_fc", Role::up, 2, 8);
  tree.conv1d("c_down", Role::down, 8, 2);
  tree.close_layer();
  std::unique_ptr<Module> block = build_tree(blueprint);
  for (const auto& child : block->children()) {
    for (const ParameterSpec& spec : child->spec().parameters) {
      int64_t count = 1;
      for (int64_t size : spec.shape) count *= size;
      child->parameters().push_back({spec.name, at::arange(count, at::kFloat).reshape(spec.shape)});
    }
  }
  return block;
}

TEST(LayerTensors, TakeSharesStorage) {
  const std::unique_ptr<Module> block = make_block();
  const LayerTensors tensors = take_tensors(*block);
  ASSERT_EQ(tensors.query_key_value.size(), 1u);
  EXPECT_EQ(tensors.query_key_value[0].weight.data_ptr(),
            block->find(Role::query_key_value)->parameter("weight").data_ptr());
  EXPECT_EQ(tensors.query_key_value[0].layout, LinearLayout::in_out);
  EXPECT_FALSE(tensors.query_norm.defined());
}

TEST(LayerTensors, TakeKnowsTheFormByItsNorms) {
  Blueprint blueprint;
  BlueprintBuilder tree(blueprint);
  const NormConfig norm{NormKind::layer, 1e-5, 0};
  tree.open_layer(0, "Block");
  for (const Role role : {Role::query, Role::key, Role::value, Role::attention_output, Role::up, Role::down}) {
    tree.linear("linear", role, 2, 2, false);
  }
  tree.norm("first", Role::post_attention_norm, "LayerNorm", 2, norm);
  tree.norm("second", Role::post_feed_forward_norm, "LayerNorm", 2, norm);
  tree.close_layer();
  const std::unique_ptr<Module> block = build_tree(blueprint);
  for (const auto& child : block->children()) child->parameters().push_back({"weight", at::ones({2})});
  LayerTensors tensors = take_tensors(*block);
  convert_to_dtype(tensors, DType::bfloat16);
  EXPECT_FALSE(tensors.input_norm.weight.defined());
  EXPECT_FALSE(tensors.feed_forward_norm.weight.defined());
  EXPECT_EQ(tensors.post_attention_norm.weight.scalar_type(), at::kBFloat16);
  EXPECT_EQ(tensors.post_feed_forward_norm.weight.scalar_type(), at::kBFloat16);
  block->children().pop_back();
  EXPECT_THROW(take_tensors(*block), Error);
}

TEST(LayerTensors, TakeNamesWhatIsMissing) {
  std::unique_ptr<Module> block = make_block();
  block->children().pop_back();
  try {
    take_tensors(*block);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("down projection"), std::string::npos) << error.what();
  }
}

TEST(LayerTensors, ConvertCopiesOnlyWhatHasAnotherType) {
  const std::unique_ptr<Module> block = make_block();
  LayerTensors tensors = take_tensors(*block);
  const void* before = tensors.down.weight.data_ptr();
  convert_to_dtype(tensors, DType::float32);
  EXPECT_EQ(tensors.down.weight.data_ptr(), before);
  convert_to_dtype(tensors, DType::bfloat16);
  EXPECT_EQ(tensors.down.weight.scalar_type(), at::kBFloat16);
  EXPECT_EQ(tensors.input_norm.bias.scalar_type(), at::kBFloat16);
  EXPECT_EQ(tensors.down.weight[1][0].item<float>(), 2.0f);
}

TEST(LayerTensors, TransposeGivesRowsOfOutputs) {
  const std::unique_ptr<Module> block = make_block();
  LayerTensors tensors = take_tensors(*block);
  transpose_to_kernel_layout(tensors);
  const at::Tensor& weight = tensors.query_key_value[0].weight;  // was [2, 6] = 0..11
  EXPECT_EQ(weight.sizes(), (at::IntArrayRef{6, 2}));
  EXPECT_TRUE(weight.is_contiguous());
  EXPECT_EQ(weight[4][1].item<float>(), 10.0f);
  EXPECT_EQ(tensors.query_key_value[0].layout, LinearLayout::out_in);
}

float dequantised(const LinearTensors& linear, int64_t row, int64_t index) {
  kernels::LinearSegment segment{};
  segment.weight = linear.weight.const_data_ptr();
  segment.weight_dtype = linear.quantized.dtype;
  segment.scales = linear.quantized.scales.const_data_ptr<float>();
  segment.group_size = linear.quantized.group_size;
  return kernels::load_weight(segment, linear.in_features(), row, index);
}

TEST(LayerTensors, QuantizeGroupsAlongTheInputs) {
  const std::unique_ptr<Module> block = make_block();
  LayerTensors tensors = take_tensors(*block);
  transpose_to_kernel_layout(tensors);
  quantize(tensors, {8, 0});
  const LinearTensors& linear = tensors.query_key_value[0];  // rows [0, 6], [1, 7], ... of 0..11
  EXPECT_EQ(linear.weight.scalar_type(), at::kChar);
  EXPECT_EQ(linear.weight.sizes(), (at::IntArrayRef{6, 2}));
  EXPECT_EQ(linear.quantized.scales.sizes(), (at::IntArrayRef{6, 1}));
  EXPECT_EQ(linear.quantized.scales[1][0].item<float>(), 7.0f / 128);
  EXPECT_EQ(linear.weight[1][0].item<int>(), 18);  // 1 * 128 / 7 = 18.3
  EXPECT_EQ(linear.weight[1][1].item<int>(), 127);
  EXPECT_EQ(linear.in_features(), 2);
  EXPECT_EQ(linear.bias.scalar_type(), at::kFloat) << "biases and norms stay";
  EXPECT_EQ(tensors.input_norm.weight.scalar_type(), at::kFloat);
}

TEST(LayerTensors, QuantizePacksFourBitsWithAShorterLastGroup) {
  const std::unique_ptr<Module> block = make_block();
  LayerTensors tensors = take_tensors(*block);
  transpose_to_kernel_layout(tensors);
  quantize(tensors, {4, 3});
  const LinearTensors& down = tensors.down;  // [2, 8]: row 1 is 1, 3, ... 15
  EXPECT_EQ(down.weight.scalar_type(), at::kByte);
  EXPECT_EQ(down.weight.sizes(), (at::IntArrayRef{2, 4}));
  EXPECT_EQ(down.in_features(), 8);
  EXPECT_EQ(down.quantized.scales.sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_EQ(down.quantized.scales[1][2].item<float>(), 15.0f / 8);
  EXPECT_EQ(dequantised(down, 1, 6), 7 * 15.0f / 8);
  EXPECT_EQ(dequantised(down, 1, 0), 2 * 5.0f / 8);  // 1 * 8 / 5 = 1.6
  EXPECT_EQ(down.weight[1][0].item<int>(), (2 + 8) | (5 + 8) << 4);
  EXPECT_EQ(tensors.up[0].quantized.group_size, 2) << "no wider than the row";
}

TEST(LayerTensors, QuantizeOfNothingAndOfWhatItMustNot) {
  const std::unique_ptr<Module> block = make_block();
  LayerTensors tensors = take_tensors(*block);
  EXPECT_THROW(quantize(tensors, {8, 0}), Error) << "Conv1D weights before their transposition";
  transpose_to_kernel_layout(tensors);
  EXPECT_THROW(quantize(tensors, {5, 0}), Error);
  const void* before = tensors.down.weight.data_ptr();
  quantize(tensors, {});
  EXPECT_EQ(tensors.down.weight.data_ptr(), before);
  EXPECT_FALSE(tensors.down.is_quantized());
  tensors.down.weight[1][3] = std::numeric_limits<float>::quiet_NaN();
  try {
    quantize(tensors, {8, 0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), StatusCode::corrupt_data);
    EXPECT_NE(std::string(error.what()).find("c_down.weight"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft
