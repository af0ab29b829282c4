#include "core/model/load.h"

#include <ATen/ATen.h>

#include <unordered_map>

#include "core/model/torch_dtype.h"

namespace graft {
namespace {

at::Tensor stored_tensor(const TensorEntry& entry) {
  // The deleter's copy of the file handle keeps the mapping alive as long as any tensor over it.
  return at::from_blob(
      const_cast<std::byte*>(entry.data), entry.shape, [file = entry.file](void*) {},
      at::TensorOptions().dtype(torch_dtype(entry.dtype)));
}

void visit(Module& module, const std::function<void(Module&)>& function) {
  function(module);
  for (const auto& child : module.children()) visit(*child, function);
}

}  // namespace

at::Tensor take_part(const at::Tensor& stored, const StoredPart& part) {
  std::vector<at::Tensor> pieces;
  for (const Range& range : part.ranges) {
    pieces.push_back(stored.narrow(part.dimension, range.first, range.count));
  }
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces, part.dimension);
}

std::unique_ptr<Module> load_model(const Blueprint& blueprint, const WeightMap& weights, DType dtype, bool copy,
                                   const LoadProgress& progress) {
  std::unique_ptr<Module> root = build_tree(blueprint);
  std::unordered_map<const std::byte*, at::Tensor> loaded;  // whole tensors; tied parameters share one
  size_t index = 0;
  int64_t bytes = 0;
  visit(*root, [&](Module& module) {
    const std::vector<TensorEntry>& entries = weights.entries[index++];
    for (size_t p = 0; p < entries.size(); ++p) {
      const TensorEntry& entry = entries[p];
      const ParameterSpec& spec = module.spec().parameters[p];
      at::Tensor& whole = loaded[entry.data];
      const bool known = whole.defined() && whole.sizes() == at::IntArrayRef(entry.shape);
      at::Tensor tensor = known ? whole : stored_tensor(entry);
      if (spec.part) tensor = take_part(tensor, *spec.part);
      if (!known) {
        const bool in_place = !copy && entry.dtype == dtype && entry.is_aligned(bits_of(entry.dtype) / 8);
        if (!in_place) tensor = tensor.to(torch_dtype(dtype), /*non_blocking=*/false, /*copy=*/true);
        if (!spec.part) whole = tensor;
        bytes += tensor.numel() * (bits_of(entry.dtype) / 8);
      }
      module.parameters().push_back({spec.name, std::move(tensor)});
    }
    if (progress && !entries.empty() && weights.bytes > 0) {
      progress(std::min(1.0, static_cast<double>(bytes) / static_cast<double>(weights.bytes)));
    }
  });
  return root;
}

}  // namespace graft
