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

/// Kernel injection: takes layers through the container pipeline one after another, then the rest of the model.
class KernelInjection {
 public:
  /// `config` is the rank's share. `placement` puts the weights where they go; the caller finishes it before a step.
  KernelInjection(const ModelConfig& config, DType dtype, const Quantization& quantization, WeightPlacement& placement)
      : config_(config), dtype_(dtype), quantization_(quantization), placement_(placement) {}

  /// For replace_module: take, convert, transpose, quantise, create, place. The layer gives up its parameters. On a
  /// device the steps are noted of the large weights, and done by their placement.
  void replace(Module& layer, int64_t index);
  /// Once all layers are replaced: takes embeddings, final norm and head. The tree is empty then.
  std::unique_ptr<FusedModel> finish(Module& root, const Collectives& ranks, std::vector<int64_t> head_columns);

 private:
  ModelConfig config_;
  DType dtype_;
  Quantization quantization_;
  WeightPlacement& placement_;
  std::vector<std::unique_ptr<FusedDecoderLayer>> layers_;
};

}  // namespace graft
