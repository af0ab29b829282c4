// At which shapes kernels are measured. A test makes them small.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/spec/dtype.h"

namespace graft::bench {

struct Heads {
  int32_t queries, kv, dim;
};

/// Llama-3.1-8B, and of experts Qwen3-30B-A3B.
struct Shapes {
  int64_t hidden = 4096, intermediate = 14336, vocabulary = 128256;
  Heads heads = {32, 8, 128}, small_heads = {32, 8, 64};  ///< the latter: Llama-3.2-1B
  int32_t block_size = 64;                                ///< tokens of a block of the cache

  std::vector<int32_t> contexts = {512, 4096, 32768};  ///< of one sequence that decodes
  std::vector<int32_t> sequences = {8, 64};            ///< of many, each with one of
  std::vector<int32_t> many_contexts = {512, 4096};
  std::vector<int32_t> prompts = {512, 2048, 8192};  ///< whole steps
  int32_t step = 512;                                ///< the most rows of a step

  std::vector<int32_t> few_rows = {2, 4, 8};
  std::vector<int32_t> many_rows = {16, 64, 256, 512};
  int32_t library_rows = 256;  ///< from which integer weights are left to cuBLASLt

  int32_t experts = 128, top_k = 8;
  int64_t expert_hidden = 2048, expert_intermediate = 768;

  std::vector<int64_t> sum_widths = {4096, 8192};
};

}  // namespace graft::bench
