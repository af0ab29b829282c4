// Host memory behind a StepView: filled for every step, allocated once, never moved, so that captured steps may keep
// pointers into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/step/cache_pool.h"
#include "core/step/step_view.h"

namespace graft {

struct StepLimits {
  int64_t tokens = 0;       ///< T at most
  int64_t sequences = 0;    ///< S at most
  int64_t logit_rows = 0;   ///< R at most
  int64_t hidden_rows = 0;  ///< H at most
  int64_t context = 0;      ///< longest sequence, which sizes the block tables
};

/// What steps of a model have in common.
struct StepTraits {
  Stage stage = Stage::decode;
  /// Token that has no place of its own: its position is -1 and the following tokens count on as if it were not there.
  /// RoBERTa does so with its padding token. -1: every token counts.
  int64_t unplaced_token = -1;
  int64_t patch_width = 0;   ///< values of an image's patch; 0: the model takes no images
  bool has_choices = false;  ///< rows of logits may say how their next token is to be chosen
  /// Tokens beyond its own that a decoding sequence has its blocks in the step for, where its plan goes so far: as many
  /// steps can follow without the host.
  int64_t tokens_ahead = 0;
};

class StepBuffer {
 public:
  /// Which rows of a sequence's tokens are wanted.
  enum class Rows { none, first, last, all };
  struct Wanted {
    Rows logits = Rows::none;
    Rows hidden = Rows::none;
  };
  /// Where a sequence's wanted rows start in the step's outputs; -1: none is wanted.
  struct Place {
    int64_t logit_row = -1;
    int64_t hidden_row = -1;
  };

  StepBuffer(const StepLimits& limits, const CachePool& pool, const StepTraits& traits = {});

  /// Starts an empty step.
  void clear();

  /// Whether `tokens` more tokens of one sequence with so many wanted rows still fit.
  bool fits(int64_t tokens, int64_t logit_rows, int64_t hidden_rows = 0) const;

  /// Adds the tokens at positions first_position .. first_position + count - 1 of a sequence whose blocks already cover
  /// them. `token_types` has `count` entries, or is null: zeros. An encoder's sequence is whole in one step.
  Place add_sequence(const int64_t* tokens, const int64_t* token_types, int64_t count, int64_t first_position,
                     int64_t planned_length, const SequenceBlocks& blocks, Wanted wanted);

  /// The token after a row of logits is to be chosen so, with the step. For steps that have choices; a row that nothing
  /// is said of has none.
  void choose(int64_t logit_row, const kernels::TokenChoice& choice);
  /// Whether every row of logits has its choice: then nobody needs the logits.
  bool chooses_all() const;

  /// How many steps can follow this one as kernels/spec/next_step.h makes them: every sequence has one token, of which
  /// logits alone are wanted and after which the next is chosen, and so many more have room in the blocks that the step
  /// has of it and in its planned length.
  int64_t steps_to_go() const;

  /// Gives the tokens of the sequence added last what they stand for: [count, patch_width], zeros for a class row.
  void set_patches(const float* values, int64_t count);

  /// The step as bytes, for other ranks to run: only what is used of each array. `bytes` holds packed_bytes().
  void pack(std::byte* bytes) const;
  int64_t packed_bytes() const;
  /// The most that packed_bytes() can be.
  int64_t most_packed_bytes() const;
  /// Takes over a step packed from a buffer of the same limits and cache kinds.
  void unpack(const std::byte* bytes);

  /// Another number after each change of the contents.
  int64_t changes() const { return changes_; }

  const StepView& view() const { return view_; }
  const StepLimits& limits() const { return limits_; }
  const StepTraits& traits() const { return traits_; }
  int64_t patch_width() const { return traits_.patch_width; }
  int64_t token_count() const { return token_count_; }
  int64_t sequence_count() const { return sequence_count_; }
  int64_t logit_row_count() const { return logit_row_count_; }
  int64_t hidden_row_count() const { return hidden_row_count_; }

 private:
  struct Counts;
  /// Calls function(array, used elements) for every array of the step, in a fixed order.
  template <class Self, class Function>
  static void for_each_array(Self& self, Function&& function);
  int64_t table_entries(int64_t kind, size_t sequence) const;

  StepLimits limits_;
  StepTraits traits_;
  StepView view_;
  int64_t kinds_ = 0;
  int64_t changes_ = 0;
  int32_t token_count_ = 0;
  int32_t sequence_count_ = 0;
  int32_t logit_row_count_ = 0;
  int32_t hidden_row_count_ = 0;
  std::vector<int32_t> token_ids_, token_types_, positions_, sequence_of_, query_starts_, context_lengths_,
      planned_lengths_, logit_rows_, hidden_rows_;
  std::vector<kernels::TokenChoice> choices_;
  std::vector<float> patches_;
  int64_t block_sizes_[StepView::max_cache_kinds] = {};
  std::vector<int32_t> slots_[StepView::max_cache_kinds];
  std::vector<int32_t> block_tables_[StepView::max_cache_kinds];
};

}  // namespace graft
