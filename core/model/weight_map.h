// Which checkpoint tensor each parameter of a blueprint is, decided and validated before anything is loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/blueprint.h"

namespace graft {

/// Parameter p of module m is `entries[m][p]`. For a tied head that is the token embedding's tensor.
struct WeightMap {
  std::vector<std::vector<TensorEntry>> entries;
  /// Type that most weights are stored in: that of the token embedding.
  DType stored_dtype = DType::float32;
  /// Bytes of all parameters as they are stored (of their parts, where a blueprint was cut down), shared ones once.
  int64_t bytes = 0;

  /// That they are in, each once.
  std::vector<std::shared_ptr<const MappedFile>> files() const;
};

/// Finds every parameter under the class's own names, under those of the bare base model (no "model." prefix) or of the
/// text half of a multimodal checkpoint. Throws NOT_FOUND for a missing tensor, CORRUPT_DATA for one of another shape
/// or for a tensor that the blueprint neither has nor skips, UNSUPPORTED for a type that weights cannot have; the
/// message names the tensor.
WeightMap map_weights(const Blueprint& blueprint, const Checkpoint& checkpoint);

/// Whether `text` matches `pattern`, in which '*' stands for any text.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace graft
