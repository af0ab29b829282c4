#include "core/step/step_mirror.h"

#include <algorithm>
#include <cstring>

namespace graft {
namespace {
constexpr int64_t alignment = 16;  // bytes: kernels read these arrays element by element
}

StepMirror::StepMirror(const StepBuffer& step, const Capacity& capacity, MemorySpace& space)
    : step_(step), space_(space), view_(step.view()) {
  plan(capacity);
  staging_ = SpaceMemory(space, bytes_, "staging memory of a step", SpaceMemory::Kind::staging);
  memory_ = SpaceMemory(space, bytes_, "the step's arrays");
  std::memset(staging_.data(), 0, static_cast<size_t>(bytes_));
  arrays_.clear();
  bytes_ = 0;
  plan(capacity);  // again, with addresses
}

// Replaces an address of the buffer by one in the space.
template <class T>
void StepMirror::plan_array(const T*& array, int64_t elements) {
  if (array == nullptr) return;
  const Array planned{reinterpret_cast<const std::byte*>(array), bytes_, elements * static_cast<int64_t>(sizeof(T))};
  if (memory_.data() != nullptr) array = reinterpret_cast<const T*>(static_cast<std::byte*>(memory_.data()) + bytes_);
  arrays_.push_back(planned);
  bytes_ += (planned.bytes + alignment - 1) / alignment * alignment;
}

void StepMirror::plan(const Capacity& capacity) {
  const StepLimits& limits = step_.limits();
  const int64_t sequences = std::min(limits.sequences, capacity.tokens);  // a sequence has at least one token
  for (const int32_t** count :
       {&view_.token_count, &view_.sequence_count, &view_.logit_row_count, &view_.hidden_row_count}) {
    plan_array(*count, 1);
  }
  plan_array(view_.query_starts, sequences + 1);
  plan_array(view_.context_lengths, sequences);
  plan_array(view_.planned_lengths, sequences);
  for (const int32_t** tokens : {&view_.token_ids, &view_.token_types, &view_.positions, &view_.sequence_of}) {
    plan_array(*tokens, capacity.tokens);
  }
  plan_array(view_.logit_rows, capacity.logit_rows);
  plan_array(view_.hidden_rows, capacity.hidden_rows);
  plan_array(view_.choices, capacity.logit_rows);
  for (CacheView& cache : view_.caches) plan_array(cache.slots, capacity.tokens);
  plan_array(view_.patches, capacity.tokens * step_.patch_width());
  for (CacheView& cache : view_.caches) plan_array(cache.block_table, sequences * cache.block_table_stride);
}

void StepMirror::update() {
  auto* staging = static_cast<std::byte*>(staging_.data());
  for (const Array& array : arrays_) {
    std::copy_n(array.source, array.bytes, staging + array.offset);
  }
  space_.copy(memory_.data(), staging, bytes_);
}

}  // namespace graft
