// What a caller may ask of an engine, checked and given defaults.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/checkpoint/mapped_file.h"
#include "core/containers/quantization.h"
#include "core/injection/inject.h"

namespace graft {

/// Where this process stands among the ranks of an engine.
struct RankOptions {
  int64_t rank = -1;       ///< -1: all ranks live in this process
  int64_t world = 0;       ///< number of processes; 0 when all ranks live in this one
  std::string address;     ///< host that rank 0 listens on
  int64_t port = 0;        ///< and its port
  int64_t timeout_ms = 0;  ///< after which a silent rank is an error on all others; 0: 60 s

  int64_t timeout() const { return timeout_ms > 0 ? timeout_ms : 60'000; }
};

/// A user's policy (injection mode 1): in every layer of this class the named linears are row-parallel.
struct UserRowParallel {
  std::string layer_class;
  std::vector<std::string> names;  ///< suffixes of paths inside the layer
};

/// What the facade checked: ranges of numbers, and that no two options contradict each other. `plan_model` refuses what
/// this release or the model does not offer.
struct EngineOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  InjectionMode injection = InjectionMode::kernel;  ///< automatic where a user's policy is given
  int64_t tensor_parallel = 1;                      ///< ranks that each layer is split over
  int64_t tensor_parallel_grain = 64;  ///< widths of the feed-forward and the head are split in such pieces
  int64_t expert_parallel = 1;         ///< ranks that experts are shared out over; divides tensor_parallel
  RankOptions rank = {};
  std::vector<UserRowParallel> user_policy = {};
  bool scanned_roles = false;  ///< AutoTP's scan of the tree decides what is row-parallel, not the policy's roles
  std::vector<std::string> architecture_policies = {};  ///< JSON texts
  Quantization quantization = {};
  bool graph = true;
  int64_t threads = 0;        ///< 0: one per core
  int64_t context_limit = 0;  ///< tokens of a sequence; 0: the model's
  int64_t least_context = 0;  ///< tokens that a sequence must be able to hold; 0: any
  int64_t max_sequences = 0;  ///< sequences in one step; 0: 16
  int64_t max_queue = 0;      ///< requests that may wait; 0: 1024
  int64_t run_ahead_ms = 10;  ///< how far a device may run ahead of the host; 0: as little as it can
  int64_t memory_limit = 0;   ///< bytes for weights, cache and working memory; 0: none stated
  WeightsMode weights = WeightsMode::map;
};

}  // namespace graft
