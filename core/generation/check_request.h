#pragma once

#include <vector>

#include "core/generation/request.h"
#include "core/model/config.h"
#include "core/step/step_buffer.h"

namespace graft {

/// What an engine can serve.
struct ServiceLimits {
  ModelConfig config;
  StepLimits step;
  std::vector<CacheKind> cache_kinds;
  std::vector<int64_t> cache_blocks;  ///< per kind
};

/// Throws when a request can never be served: UNSUPPORTED for what the model's class does not give, INVALID_ARGUMENT
/// for ids, sizes and settings that contradict each other, LIMIT_EXCEEDED for what is too much. Names the culprit.
void check_request(const RequestSpec& spec, const ServiceLimits& limits);

}  // namespace graft
