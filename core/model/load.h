// Parameters from a checkpoint into the client model's tree.
#pragma once

#include <functional>
#include <memory>

#include "core/model/module.h"
#include "core/model/weight_map.h"

namespace graft {

/// Called with the fraction done in [0, 1]; throws to give the load up.
using LoadProgress = std::function<void(double fraction)>;

/// The part of a stored tensor that a parameter is: a view where it is one range, joined ranges otherwise. Reads those
/// bytes alone.
at::Tensor take_part(const at::Tensor& stored, const StoredPart& part);

/// Builds the tree of a blueprint with its parameters in `dtype`. A tensor that is stored in that type is used where it
/// lies in the mapped file unless `copy` is set; others are converted once. Only the parts that the blueprint names are
/// read. Call on a thread that may run ATen.
std::unique_ptr<Module> load_model(const Blueprint& blueprint, const WeightMap& weights, DType dtype, bool copy,
                                   const LoadProgress& progress);

}  // namespace graft
