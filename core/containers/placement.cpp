#include "core/containers/placement.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "core/base/status.h"
#include "core/containers/group_quantizer.h"
#include "core/model/torch_dtype.h"
#include "kernels/spec/weights.h"

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

// What kernels of weights are told alike: rows of `width` elements of a type, as a chunk has them.
template <class Args, class Chunk>
Args args_of(const Chunk& chunk, int64_t width, DType dtype) {
  Args args{};
  args.rows = chunk.rows;
  args.width = width;
  args.x = chunk.raw;
  args.row_stride = chunk.row_stride;
  args.column_stride = chunk.column_stride;
  args.x_dtype = dtype;
  return args;
}

}  // namespace

WeightPlacement::WeightPlacement(MemorySpace& space, UploadRing::Files files, const UploadLimits& limits)
    : space_(space) {
  if (!space.is_host()) ring_ = std::make_unique<UploadRing>(space, std::move(files), limits);
}

WeightPlacement::~WeightPlacement() { ring_.reset(); }

// Whether the device can convert or quantise it: a chunk holds whole rows.
bool WeightPlacement::fits(const at::Tensor& matrix) const {
  const bool is_view = is_runs(matrix) || matrix.stride(0) == 1;
  return is_view && matrix.size(1) * static_cast<int64_t>(matrix.element_size()) <= ring_->chunk_bytes();
}

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
  ring_->copy(std::move(source), to.mutable_data_ptr(), std::make_shared<Parts>(parts));
}

// Chunks of as many rows as one holds. A transposed matrix lies in the file by columns: there a chunk is gathered from
// a piece of each, and stays transposed.
void WeightPlacement::give_rows(const Parts& parts, const RowWork& work) {
  const auto keep = std::make_shared<Parts>(parts);
  const int64_t width = parts[0].size(1), size = static_cast<int64_t>(parts[0].element_size());
  const int64_t row_bytes = width * size, most = row_bytes > 0 ? ring_->chunk_bytes() / row_bytes : 1;
  int64_t before = 0;  // rows of the parts before
  for (const at::Tensor& part : parts) {
    const bool transposed = !is_runs(part);
    const auto whole = std::make_shared<UploadSource>();
    if (!transposed) whole->push_back(runs_of(part));
    for (int64_t first = 0; first < part.size(0); first += most) {
      const int64_t rows = std::min(most, part.size(0) - first);
      RowChunk chunk{before + first, rows, nullptr, transposed ? 1 : width, transposed ? rows : 1};
      const auto then = [work, chunk](SideStream& stream, const void* raw) mutable {
        chunk.raw = raw;
        work(stream, chunk);
      };
      if (transposed) {
        const auto* data = static_cast<const std::byte*>(part.const_data_ptr()) + first * size;
        ring_->give(std::make_shared<UploadSource>(UploadSource{{data, rows * size, part.stride(1) * size, width}}), 0,
                    rows * row_bytes, then, keep);
      } else {
        ring_->give(whole, first * row_bytes, rows * row_bytes, then, keep);
      }
    }
    before += part.size(0);
  }
}

void WeightPlacement::convert(const Parts& parts, const at::Tensor& to) {
  const DType from = dtype_of(parts[0].scalar_type()), dtype = dtype_of(to.scalar_type());
  auto* const out = static_cast<std::byte*>(to.mutable_data_ptr());
  const int64_t width = parts[0].size(1), row_bytes = width * (bits_of(dtype) / 8);
  give_rows(parts, [=](SideStream& stream, const RowChunk& chunk) {
    auto args = args_of<kernels::ConvertWeightsArgs>(chunk, width, from);
    args.out_dtype = dtype;
    args.out = out + chunk.first * row_bytes;
    stream.run(kernels::Op::convert_weights, &args);
  });
}

// As layer_tensors.h does on the host.
void WeightPlacement::quantize(const Parts& parts, const DeferredSteps& steps, LinearTensors& linear) {
  if (unfit_.data() == nullptr) {
    unfit_ = SpaceMemory(space_, sizeof(int32_t), "a flag of loading");
    space_.clear(unfit_.data(), sizeof(int32_t));
    space_.synchronize();
  }
  names_.push_back(linear.name);
  const bool packed = steps.quantization.bits == 4;
  const int64_t rows = linear.out_features(), width = linear.in_features();
  const int64_t group_size = steps.quantization.group_of(width);
  const int64_t groups = groups_of_row(width, group_size), row_bytes = packed ? (width + 1) / 2 : width;
  const DType from = dtype_of(linear.weight.scalar_type()), dtype = packed ? DType::int4 : DType::int8;
  linear.weight = allocate({rows, row_bytes}, packed ? at::kByte : at::kChar);
  linear.quantized = {dtype, width, group_size, allocate({rows, groups}, at::kFloat)};
  auto* const out = static_cast<std::byte*>(linear.weight.mutable_data_ptr());
  auto* const scales = static_cast<float*>(linear.quantized.scales.mutable_data_ptr());
  auto* const unfit = static_cast<int32_t*>(unfit_.data());
  give_rows(parts, [=, via = steps.dtype, number = static_cast<int32_t>(names_.size())](SideStream& stream,
                                                                                        const RowChunk& chunk) {
    auto args = args_of<kernels::QuantizeGroupsArgs>(chunk, width, from);
    args.via = via;
    args.group_size = group_size;
    args.out_dtype = dtype;
    args.out = out + chunk.first * row_bytes;
    args.scales = scales + chunk.first * groups;
    args.number = number;
    args.unfit = unfit;
    stream.run(kernels::Op::quantize_groups, &args);
  });
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
  if (converts && tensor.dim() >= 2 && tensor.is_contiguous() && tensor.numel() > 0) {
    const at::Tensor matrix = tensor.view({-1, tensor.size(-1)});
    if (fits(matrix)) {
      at::Tensor there = allocate(tensor.sizes(), torch_dtype(*as));
      convert({matrix}, there);
      return there;
    }
  }
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

void WeightPlacement::place_weight(LinearTensors& linear) {
  const DeferredSteps steps = *linear.deferred;
  const DType stored = dtype_of(linear.weight.scalar_type());
  const bool as_stored = steps.quantization.bits == 0 && is_runs(linear.weight) && stored == steps.dtype;
  if (!as_stored && (linear.weight.numel() == 0 || !fits(linear.weight))) {
    linear.weight = on_host(linear.weight);
    do_deferred(linear);
    linear.weight = placed(linear.weight);
    return;
  }
  Parts parts;
  for (const Range& rows : steps.rows) parts.push_back(linear.weight.narrow(0, rows.first, rows.count));
  if (steps.rows.empty()) parts.push_back(linear.weight);
  if (steps.quantization.bits != 0) {
    quantize(parts, steps, linear);
  } else {
    const at::Tensor there = allocate({linear.out_features(), linear.in_features()}, torch_dtype(steps.dtype));
    as_stored ? copy(parts, there) : convert(parts, there);
    linear.weight = there;
  }
  linear.deferred.reset();
}

LinearTensors WeightPlacement::placed(LinearTensors linear) {
  if (linear.deferred && ring_) {
    place_weight(linear);
  } else {
    linear.weight = placed(linear.weight);
  }
  linear.bias = placed(linear.bias);
  if (linear.is_quantized() && linear.quantized.scales.is_cpu())
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
  if (names_.empty()) return;
  const SpaceMemory told(space_, sizeof(int32_t), "a flag of loading", SpaceMemory::Kind::staging);
  space_.copy(told.data(), unfit_.data(), sizeof(int32_t));
  space_.synchronize();
  const int32_t number = *static_cast<const int32_t*>(told.data());
  unfit_ = SpaceMemory();
  if (number == 0) return;
  fail(StatusCode::corrupt_data, "quantisation: tensor '{}' holds what is not finite, expected finite numbers",
       names_[static_cast<size_t>(number) - 1]);
}

}  // namespace graft
