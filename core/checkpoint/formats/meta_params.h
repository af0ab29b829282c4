#pragma once

#include <optional>

#include "core/checkpoint/format.h"

namespace graft {

/// Meta's params.json in the terms of config.json: with a model_type, and the vocabulary filled in from `tensors` where
/// the file leaves it open (-1).
JsonObject complete_meta_params(const JsonObject& params, std::span<const TensorEntry> tensors);

/// Whether complete_meta_params needs the tensors.
bool needs_tensors(const JsonObject& params);

}  // namespace graft
