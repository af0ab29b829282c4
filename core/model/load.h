// Parameters from a checkpoint into the client model's tree.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "core/model/module.h"
#include "core/model/weight_map.h"

namespace graft {

/// Called with the fraction done in [0, 1]; throws to give the load up.
using LoadProgress = std::function<void(double fraction)>;

/// The part of a stored tensor that a parameter is: a view where it is one range, joined ranges otherwise. Reads those
/// bytes alone.
at::Tensor take_part(const at::Tensor& stored, const StoredPart& part);

/// The same read from the file into memory of its own, and no byte more. Throws IO_ERROR.
at::Tensor read_part(const TensorEntry& entry, const std::optional<StoredPart>& part);

/// Gives the modules of a blueprint's tree their parameters in `dtype`, one module after another in the blueprint's
/// order. A tensor that is stored in that type is used where it lies in the mapped file, or read from the file into
/// memory where `copy` is set; others are converted once. Only the parts that the blueprint names are read. For a
/// thread that may run ATen.
/// `deferred`, for weights that go to a device: parameters of two and more dimensions stay views of the mapped file as
/// they are stored, neither read nor converted, and where the part is several ranges of a linear's out features these
/// stand in Parameter::ranges. Vectors, which are small, are read and converted all the same.
class ModelLoader {
 public:
  /// `weights` outlives it. `progress` may throw to give up.
  ModelLoader(const WeightMap& weights, DType dtype, bool copy, LoadProgress progress, bool deferred = false);

  /// Loads the next module's own parameters.
  void load(Module& module);

 private:
  Parameter load_parameter(const ModuleSpec& module, const ParameterSpec& spec, const TensorEntry& entry);

  const WeightMap& weights_;
  DType dtype_;
  bool copy_;
  bool deferred_;
  LoadProgress progress_;
  std::unordered_map<const std::byte*, at::Tensor> shared_;  ///< token embeddings, which a tied head shares
  size_t next_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace graft
