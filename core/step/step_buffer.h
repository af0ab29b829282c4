// Host memory behind a StepView: filled for every step, allocated once, never moved, so that captured steps may keep
// pointers into it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/step/cache_pool.h"
#include "core/step/step_view.h"

namespace graft {

struct StepLimits {
  int64_t tokens = 0;      ///< T at most
  int64_t sequences = 0;   ///< S at most
  int64_t logit_rows = 0;  ///< R at most
  int64_t context = 0;     ///< longest sequence, which sizes the block tables
};

class StepBuffer {
 public:
  StepBuffer(const StepLimits& limits, const CachePool& pool);

  /// Starts an empty step.
  void clear();

  /// Whether `tokens` more tokens of one sequence with `logit_rows` wanted rows still fit.
  bool fits(int64_t tokens, int64_t logit_rows) const;

  /// Which rows of a sequence's tokens give logits.
  enum class Logits { none, last, all };

  /// Adds the tokens at positions first_position .. first_position + count - 1 of a sequence whose blocks already cover
  /// them. Returns the index of its first logit row (of the step's R), or -1 when none is wanted.
  int64_t add_sequence(const int64_t* tokens, int64_t count, int64_t first_position, int64_t planned_length,
                       const SequenceBlocks& blocks, Logits logits);

  const StepView& view() const { return view_; }
  const StepLimits& limits() const { return limits_; }
  int64_t token_count() const { return token_count_; }
  int64_t sequence_count() const { return sequence_count_; }
  int64_t logit_row_count() const { return logit_row_count_; }

 private:
  StepLimits limits_;
  StepView view_;
  int64_t kinds_ = 0;
  int32_t token_count_ = 0;
  int32_t sequence_count_ = 0;
  int32_t logit_row_count_ = 0;
  std::vector<int32_t> token_ids_, positions_, sequence_of_, query_starts_, context_lengths_, planned_lengths_,
      logit_rows_;
  std::vector<int32_t> slots_[StepView::max_cache_kinds];
  std::vector<int32_t> block_tables_[StepView::max_cache_kinds];
};

}  // namespace graft
