// One step of a ragged batch, as every layer and kernel sees it. Nothing else about requests reaches a layer.
#pragma once

#include <cstdint>

#include "kernels/spec/choose_token.h"

namespace graft {

/// What the step is for. There is no "prompt means more than one token": positions and lengths say everything.
enum class Stage : int32_t {
  decode,       ///< causal language model: writes the cache, gives logits for the wanted rows
  encode,       ///< encoder half of an encoder-decoder: fills the cross-attention cache, no logits
  encode_only,  ///< encoder: gives hidden rows
};

/// Addressing of one cache kind (core/step/cache_pool.h) in this step.
struct CacheView {
  const int32_t* slots = nullptr;        ///< [T] block * block_size + offset that token t is written to
  const int32_t* block_table = nullptr;  ///< [S, block_table_stride] block of tokens j*block_size..; -1: not held
  int64_t block_table_stride = 0;
};

/// Plain arrays in device memory. T tokens of S sequences; the tokens of a sequence are consecutive and in order.
/// The counts are behind pointers because a captured step replays with other counts.
struct StepView {
  static constexpr int32_t max_cache_kinds = 4;

  Stage stage = Stage::decode;
  const int32_t* token_count = nullptr;           ///< T
  const int32_t* sequence_count = nullptr;        ///< S
  const int32_t* logit_row_count = nullptr;       ///< R
  const int32_t* hidden_row_count = nullptr;      ///< H
  const int32_t* token_ids = nullptr;             ///< [T]
  const int32_t* token_types = nullptr;           ///< [T] rows of the token type table, for models that have one
  const int32_t* positions = nullptr;             ///< [T] -1: a token that takes no position (StepTraits)
  const int32_t* sequence_of = nullptr;           ///< [T]
  const int32_t* query_starts = nullptr;          ///< [S + 1] first token of each sequence; [S] = T
  const int32_t* context_lengths = nullptr;       ///< [S] tokens in the cache once this step has written its own
  const int32_t* planned_lengths = nullptr;       ///< [S] length the sequence may reach (chooses length-dependent rope)
  const int32_t* logit_rows = nullptr;            ///< [R] tokens whose logits are wanted, ascending
  const int32_t* hidden_rows = nullptr;           ///< [H] tokens whose last hidden state is wanted, ascending
  const kernels::TokenChoice* choices = nullptr;  ///< [R] how tokens are chosen, where the device does that
  const float* patches = nullptr;  ///< [T, patch width] of models that take images; zeros for a class row
  CacheView caches[max_cache_kinds];
};

}  // namespace graft
