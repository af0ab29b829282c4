// A step as bytes: four counts, then the used part of each array.
#include <algorithm>
#include <cstring>

#include "core/step/step_buffer.h"

namespace graft {

struct StepBuffer::Counts {
  int32_t tokens, sequences, logit_rows, hidden_rows;
};

template <class Self, class Function>
void StepBuffer::for_each_array(Self& self, Function&& function) {
  const int64_t tokens = self.token_count_, sequences = self.sequence_count_;
  function(self.token_ids_.data(), tokens);
  function(self.token_types_.data(), tokens);
  function(self.positions_.data(), tokens);
  function(self.sequence_of_.data(), tokens);
  function(self.query_starts_.data(), sequences + 1);
  function(self.context_lengths_.data(), sequences);
  function(self.planned_lengths_.data(), sequences);
  function(self.logit_rows_.data(), self.logit_row_count_);
  function(self.hidden_rows_.data(), self.hidden_row_count_);
  function(self.choices_.data(), self.traits_.has_choices ? self.logit_row_count_ : 0);
  function(self.patches_.data(), tokens * self.traits_.patch_width);
  for (int64_t k = 0; k < self.kinds_; ++k) {
    function(self.slots_[k].data(), tokens);
    for (int64_t s = 0; s < sequences; ++s) {
      function(self.block_tables_[k].data() + s * self.view_.caches[k].block_table_stride,
               self.table_entries(k, static_cast<size_t>(s)));
    }
  }
}

int64_t StepBuffer::packed_bytes() const {
  int64_t bytes = sizeof(Counts);
  for_each_array(*this,
                 [&](const auto* array, int64_t count) { bytes += count * static_cast<int64_t>(sizeof *array); });
  return bytes;
}

int64_t StepBuffer::most_packed_bytes() const {
  int64_t elements =
      (4 + traits_.patch_width) * limits_.tokens + 3 * limits_.sequences + 1 + limits_.logit_rows + limits_.hidden_rows;
  for (int64_t k = 0; k < kinds_; ++k) {
    elements += limits_.tokens + limits_.sequences * view_.caches[k].block_table_stride;
  }
  static_assert(sizeof(float) == sizeof(int32_t));
  const int64_t choices = traits_.has_choices ? limits_.logit_rows : 0;
  return static_cast<int64_t>(sizeof(Counts)) + elements * static_cast<int64_t>(sizeof(int32_t)) +
         choices * static_cast<int64_t>(sizeof(kernels::TokenChoice));
}

void StepBuffer::pack(std::byte* bytes) const {
  const Counts counts{token_count_, sequence_count_, logit_row_count_, hidden_row_count_};
  std::memcpy(bytes, &counts, sizeof counts);
  bytes += sizeof counts;
  for_each_array(*this, [&](const auto* array, int64_t count) {
    // An array that the model has no use for is null, and memcpy must not be given that.
    const auto* from = reinterpret_cast<const std::byte*>(array);
    bytes = std::copy_n(from, count * static_cast<int64_t>(sizeof *array), bytes);
  });
}

void StepBuffer::unpack(const std::byte* bytes) {
  ++changes_;
  Counts counts;
  std::memcpy(&counts, bytes, sizeof counts);
  token_count_ = counts.tokens;
  sequence_count_ = counts.sequences;
  logit_row_count_ = counts.logit_rows;
  hidden_row_count_ = counts.hidden_rows;
  bytes += sizeof counts;
  for_each_array(*this, [&](auto* array, int64_t count) {
    const int64_t size = count * static_cast<int64_t>(sizeof *array);
    std::copy_n(bytes, size, reinterpret_cast<std::byte*>(array));
    bytes += size;
  });
}

}  // namespace graft
