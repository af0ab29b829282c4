#include "core/model/load.h"

#include <ATen/ATen.h>

#include "core/model/torch_dtype.h"

namespace graft {
namespace {

at::Tensor stored_tensor(const TensorEntry& entry) {
  // The deleter's copy of the file handle keeps the mapping alive as long as any tensor over it.
  return at::from_blob(
      const_cast<std::byte*>(entry.data), entry.shape, [file = entry.file](void*) {},
      at::TensorOptions().dtype(torch_dtype(entry.dtype)));
}

int64_t out_dimension(const ModuleSpec& module) { return module.layout == LinearLayout::in_out ? 1 : 0; }

}  // namespace

at::Tensor read_part(const TensorEntry& entry, const std::optional<StoredPart>& part) {
  const StoredPart whole{entry.shape, 0, {{0, entry.shape.empty() ? 1 : entry.shape[0]}}};
  const StoredPart& wanted = part ? *part : whole;
  const auto dimension = static_cast<size_t>(wanted.dimension);
  std::vector<int64_t> shape = entry.shape;
  int64_t outer = 1, inner = bits_of(entry.dtype) / 8, own = 0;  // inner: bytes of one step along the dimension
  for (size_t d = 0; d < dimension; ++d) outer *= shape[d];
  for (size_t d = dimension + 1; d < shape.size(); ++d) inner *= shape[d];
  for (const Range& range : wanted.ranges) own += range.count;
  const int64_t stored = shape.empty() ? 1 : shape[dimension];
  if (!shape.empty()) shape[dimension] = own;
  const at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(torch_dtype(entry.dtype)));
  auto* to = static_cast<std::byte*>(tensor.mutable_data_ptr());
  const int64_t start = entry.data - entry.file->data();
  for (int64_t o = 0; o < outer; ++o) {
    for (const Range& range : wanted.ranges) {
      entry.file->read(start + (o * stored + range.first) * inner, range.count * inner, to);
      to += range.count * inner;
    }
  }
  return tensor;
}

at::Tensor take_part(const at::Tensor& stored, const StoredPart& part) {
  std::vector<at::Tensor> pieces;
  for (const Range& range : part.ranges) {
    pieces.push_back(stored.narrow(part.dimension, range.first, range.count));
  }
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces, part.dimension);
}

ModelLoader::ModelLoader(const WeightMap& weights, DType dtype, bool copy, LoadProgress progress, bool deferred)
    : weights_(weights), dtype_(dtype), copy_(copy), deferred_(deferred), progress_(std::move(progress)) {}

void ModelLoader::load(Module& module) {
  const std::vector<TensorEntry>& entries = weights_.entries[next_++];
  for (size_t p = 0; p < entries.size(); ++p) {
    Parameter parameter = load_parameter(module.spec(), module.spec().parameters[p], entries[p]);
    if (module.spec().role == Role::token_embedding) shared_[entries[p].data] = parameter.value;
    module.parameters().push_back(std::move(parameter));
  }
  if (progress_ && !entries.empty() && weights_.bytes > 0) {
    progress_(std::min(1.0, static_cast<double>(bytes_) / static_cast<double>(weights_.bytes)));
  }
}

Parameter ModelLoader::load_parameter(const ModuleSpec& module, const ParameterSpec& spec, const TensorEntry& entry) {
  if (const auto known = shared_.find(entry.data); known != shared_.end()) {
    return {spec.name, spec.part ? take_part(known->second, *spec.part) : known->second};
  }
  int64_t elements = 1;
  for (const int64_t length : spec.shape) elements *= length;
  bytes_ += elements * (bits_of(entry.dtype) / 8);
  const bool many = spec.part && spec.part->ranges.size() > 1;
  if (deferred_ && entry.shape.size() >= 2 && (!many || spec.part->dimension == out_dimension(module))) {
    const at::Tensor stored = stored_tensor(entry);
    if (many) return {spec.name, stored, spec.part->ranges};
    return {spec.name, spec.part ? take_part(stored, *spec.part) : stored};
  }
  const bool copy = copy_ || deferred_;
  at::Tensor tensor = copy ? read_part(entry, spec.part) : stored_tensor(entry);
  if (spec.part && !copy) tensor = take_part(tensor, *spec.part);
  const bool in_place = entry.dtype == dtype_ && (copy || entry.is_aligned(bits_of(entry.dtype) / 8));
  if (!in_place) tensor = tensor.to(torch_dtype(dtype_), /*non_blocking=*/false, /*copy=*/true);
  return {spec.name, std::move(tensor)};
}

}  // namespace graft
