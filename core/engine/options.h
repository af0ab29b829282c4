// What a caller may ask of an engine, checked and given defaults.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/checkpoint/mapped_file.h"
#include "core/containers/quantization.h"
#include "core/injection/inject.h"

namespace graft {

struct EngineOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  Quantization quantization = {};  ///< 0 bits: as dtype says; group size 0: whole rows of int8, 32 of int4
  InjectionMode injection = InjectionMode::kernel;
  bool graph = true;
  int64_t threads = 0;        ///< 0: one per core
  int64_t context_limit = 0;  ///< tokens of a sequence; 0: the model's
  int64_t max_sequences = 0;  ///< sequences in one step; 0: 16
  int64_t max_queue = 0;      ///< requests that may wait; 0: 1024
  int64_t memory_limit = 0;   ///< bytes for weights, cache and working memory; 0: none stated
  WeightsMode weights = WeightsMode::map;
};

}  // namespace graft
