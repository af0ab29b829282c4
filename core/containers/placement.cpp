#include "core/containers/placement.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include "core/model/torch_dtype.h"

namespace graft {
namespace {

// Whether the host's bytes of a tensor are runs at one distance, as in a tensor or in some columns of a matrix.
bool is_runs(const at::Tensor& tensor) {
  return tensor.is_contiguous() || (tensor.dim() == 2 && tensor.stride(1) == 1);
}

ByteRuns runs_of(const at::Tensor& tensor) {
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  if (tensor.is_contiguous()) return {data, static_cast<int64_t>(tensor.nbytes()), 0, 1};
  const auto size = static_cast<int64_t>(tensor.element_size());
  return {data, tensor.size(1) * size, tensor.stride(0) * size, tensor.size(0)};
}

}  // namespace

WeightPlacement::WeightPlacement(MemorySpace& space, UploadRing::Files files, const UploadLimits& limits)
    : space_(space) {
  if (!space.is_host()) ring_ = std::make_unique<UploadRing>(space, std::move(files), limits);
}

WeightPlacement::~WeightPlacement() { ring_.reset(); }

at::Tensor WeightPlacement::allocate(at::IntArrayRef sizes, at::ScalarType type) {
  int64_t bytes = static_cast<int64_t>(c10::elementSize(type));
  for (const int64_t size : sizes) bytes *= size;
  auto memory = std::make_shared<SpaceMemory>(space_, bytes, "weights");
  under_way_.push_back(memory);
  // The device's type keeps every ATen operator away, since no operator for it is loaded.
  const at::Device device(at::kCUDA, 0);
  void* const data = memory->data();
  return at::for_blob(data, sizes)
      .deleter([memory = std::move(memory)](void*) mutable { memory.reset(); })
      .options(at::TensorOptions().dtype(type).device(device))
      .target_device(device)
      .make_tensor();
}

// Parts of a tensor, one after another.
void WeightPlacement::copy(const std::vector<at::Tensor>& parts, const at::Tensor& to) {
  UploadSource source;
  for (const at::Tensor& part : parts) source.push_back(runs_of(part));
  ring_->copy(std::move(source), to.mutable_data_ptr(), std::make_shared<std::vector<at::Tensor>>(parts));
}

at::Tensor WeightPlacement::on_host(const at::Tensor& tensor) const {
  if (!ring_) return tensor;
  if (tensor.dim() == 2 && !is_runs(tensor)) return on_host(tensor.t()).t();
  if (!is_runs(tensor)) return tensor;
  at::Tensor own = at::empty(tensor.sizes(), tensor.options());
  ring_->read({runs_of(tensor)}, static_cast<std::byte*>(own.mutable_data_ptr()));
  return own;
}

at::Tensor WeightPlacement::placed(const at::Tensor& tensor, std::optional<DType> as) {
  if (!tensor.defined() || !ring_) return tensor;
  const bool converts = as && *as != dtype_of(tensor.scalar_type());
  at::Tensor host = converts ? on_host(tensor).to(torch_dtype(*as)) : tensor;
  if (!is_runs(host)) host = host.contiguous();
  at::Tensor there = allocate(host.sizes(), host.scalar_type());
  copy({host}, there);
  return there;
}

at::Tensor WeightPlacement::placed(const std::vector<float>& values) {
  return values.empty() ? at::Tensor() : placed(at::tensor(values));
}

NormTensors WeightPlacement::placed(const NormTensors& norm) { return {placed(norm.weight), placed(norm.bias)}; }

LinearTensors WeightPlacement::placed(LinearTensors linear) {
  const bool as_stored = linear.deferred && linear.deferred->quantization.bits == 0 && is_runs(linear.weight) &&
                         linear.deferred->dtype == dtype_of(linear.weight.scalar_type());
  if (as_stored) {
    const DeferredSteps& steps = *linear.deferred;
    std::vector<at::Tensor> parts;
    for (const Range& rows : steps.rows) parts.push_back(linear.weight.narrow(0, rows.first, rows.count));
    if (steps.rows.empty()) parts.push_back(linear.weight);
    at::Tensor there = allocate({linear.out_features(), linear.in_features()}, linear.weight.scalar_type());
    copy(parts, there);
    linear.weight = std::move(there);
    linear.deferred.reset();
  } else {
    if (linear.deferred) linear.weight = on_host(linear.weight);
    do_deferred(linear);
    linear.weight = placed(linear.weight);
  }
  linear.bias = placed(linear.bias);
  linear.quantized.scales = placed(linear.quantized.scales);
  return linear;
}

void WeightPlacement::place(LayerTensors& tensors) {
  const auto move = [this](auto& part) { part = placed(std::move(part)); };
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

void WeightPlacement::finish() {
  if (ring_) ring_->finish();
  under_way_.clear();
}

}  // namespace graft
