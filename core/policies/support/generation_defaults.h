#pragma once

#include "core/checkpoint/json.h"
#include "core/model/config.h"

namespace graft {

/// Special tokens and sampling defaults: generation_config.json first, config.json where it is silent, as Transformers.
GenerationDefaults read_generation_defaults(const JsonObject& config, const JsonObject& generation_config);

}  // namespace graft
