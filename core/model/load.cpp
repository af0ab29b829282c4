#include "core/model/load.h"

#include <ATen/ATen.h>

#include <unordered_map>

#include "core/model/torch_dtype.h"

namespace graft {
namespace {

at::Tensor tensor_of(const TensorEntry& entry, DType dtype) {
  // The deleter's copy of the file handle keeps the mapping alive as long as any tensor over it.
  at::Tensor stored = at::from_blob(
      const_cast<std::byte*>(entry.data), entry.shape, [file = entry.file](void*) {},
      at::TensorOptions().dtype(torch_dtype(entry.dtype)));
  if (entry.dtype == dtype && entry.is_aligned(bits_of(entry.dtype) / 8)) return stored;
  return stored.to(torch_dtype(dtype), /*non_blocking=*/false, /*copy=*/true);
}

void visit(Module& module, const std::function<void(Module&)>& function) {
  function(module);
  for (const auto& child : module.children()) visit(*child, function);
}

}  // namespace

std::unique_ptr<Module> load_model(const Blueprint& blueprint, const WeightMap& weights, DType dtype,
                                   const LoadProgress& progress) {
  std::unique_ptr<Module> root = build_tree(blueprint);
  std::unordered_map<const std::byte*, at::Tensor> loaded;  // tied parameters share one tensor
  size_t index = 0;
  int64_t bytes = 0;
  visit(*root, [&](Module& module) {
    const std::vector<TensorEntry>& entries = weights.entries[index++];
    for (size_t p = 0; p < entries.size(); ++p) {
      const TensorEntry& entry = entries[p];
      at::Tensor& tensor = loaded[entry.data];
      if (!tensor.defined() || tensor.sizes() != at::IntArrayRef(entry.shape)) {
        tensor = tensor_of(entry, dtype);
        bytes += entry.byte_size;
      }
      module.parameters().push_back({module.spec().parameters[p].name, tensor});
    }
    if (progress && !entries.empty() && weights.bytes > 0) {
      progress(std::min(1.0, static_cast<double>(bytes) / static_cast<double>(weights.bytes)));
    }
  });
  return root;
}

}  // namespace graft
