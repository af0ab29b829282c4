// How a client model becomes what the engine runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/containers/fused_model.h"
#include "core/model/client_model.h"

namespace graft {

enum class InjectionMode : int32_t {
  kernel,    ///< policy -> container -> fused layer, everything over kernels
  none,      ///< the client model as it is
  automatic  ///< AutoTP
};

/// One line of `graft info`: modules of a class and what runs in their place.
struct Replacement {
  std::string class_name;
  int64_t count = 0;
  std::string replaced_by;
};

/// What kernel injection would replace in a model, decided from the blueprint alone.
std::vector<Replacement> plan_replacements(const Blueprint& blueprint, InjectionMode mode);

/// Takes the client model's layers one after another through the container pipeline (take, convert to `dtype`,
/// transpose, quantise, create) and returns the fused model. The client tree gives up its parameters layer by layer, so
/// that no weight is held twice.
std::unique_ptr<FusedModel> inject_kernels(ClientModel& client, DType dtype, const Quantization& quantization = {});

}  // namespace graft
