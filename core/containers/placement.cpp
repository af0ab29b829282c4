#include "core/containers/placement.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <memory>

namespace graft {

at::Tensor placed(const at::Tensor& tensor, MemorySpace& space) {
  if (!tensor.defined() || space.is_host()) return tensor;
  const at::Tensor host = tensor.contiguous();
  const auto bytes = static_cast<int64_t>(host.nbytes());
  auto memory = std::make_shared<SpaceMemory>(space, bytes, "weights");
  space.upload(memory->data(), host.const_data_ptr(), bytes);
  // The device's type keeps every ATen operator away, since no operator for it is loaded.
  const at::Device device(at::kCUDA, 0);
  return at::for_blob(memory->data(), host.sizes())
      .deleter([memory](void*) mutable { memory.reset(); })
      .options(host.options().device(device))
      .target_device(device)
      .make_tensor();
}

at::Tensor placed(const std::vector<float>& values, MemorySpace& space) {
  return values.empty() ? at::Tensor() : placed(at::tensor(values), space);
}

NormTensors placed(const NormTensors& norm, MemorySpace& space) {
  return {placed(norm.weight, space), placed(norm.bias, space)};
}

LinearTensors placed(LinearTensors linear, MemorySpace& space) {
  linear.weight = placed(linear.weight, space);
  linear.bias = placed(linear.bias, space);
  linear.quantized.scales = placed(linear.quantized.scales, space);
  return linear;
}

void place(LayerTensors& tensors, MemorySpace& space) {
  const auto move = [&space](auto& part) { part = placed(std::move(part), space); };
  move(tensors.input_norm);
  move(tensors.post_attention_norm);
  for (LinearTensors& linear : tensors.query_key_value) move(linear);
  move(tensors.query_norm);
  move(tensors.key_norm);
  move(tensors.attention_output);
  move(tensors.feed_forward_norm);
  move(tensors.post_feed_forward_norm);
  for (LinearTensors& linear : tensors.up) move(linear);
  move(tensors.down);
}

}  // namespace graft
