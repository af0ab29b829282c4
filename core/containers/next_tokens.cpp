#include "core/containers/next_tokens.h"

namespace graft {

static_assert(StepView::max_cache_kinds <= kernels::NextStepArgs::max_caches);

bool can_choose_tokens(const KernelSelector& select, int64_t vocabulary) {
  kernels::ChooseTokenArgs choice{};
  choice.vocabulary = vocabulary;
  const kernels::NextStepArgs next{};
  return select(kernels::Op::choose_token, &choice) != nullptr && select(kernels::Op::next_step, &next) != nullptr;
}

int32_t* record_choice(OpList& ops, const StepView& step, int64_t capacity, const float* logits, int64_t vocabulary) {
  kernels::ChooseTokenArgs args{};
  args.rows = step.logit_row_count;
  args.capacity = capacity;
  args.logits = logits;
  args.vocabulary = vocabulary;
  args.choices = step.choices;
  args.tokens = ops.arena().take_array<int32_t>(capacity);
  ops.add(kernels::Op::choose_token, args);
  return args.tokens;
}

kernels::NextStepArgs next_step_args(const StepView& step, const CachePool& pool, int64_t capacity,
                                     const int32_t* tokens) {
  const auto own = [](auto* array) {
    return const_cast<std::remove_const_t<std::remove_pointer_t<decltype(array)>>*>(array);
  };
  kernels::NextStepArgs args{};
  args.rows = step.sequence_count;
  args.capacity = capacity;
  args.tokens = tokens;
  args.token_ids = own(step.token_ids);
  args.positions = own(step.positions);
  args.context_lengths = own(step.context_lengths);
  args.choices = own(step.choices);
  args.caches = static_cast<int32_t>(pool.kind_count());
  for (int64_t k = 0; k < pool.kind_count(); ++k) {
    const CacheView& cache = step.caches[k];
    args.cache[k] = {own(cache.slots), cache.block_table, cache.block_table_stride,
                     static_cast<int32_t>(pool.kind(k).block_size)};
  }
  return args;
}

}  // namespace graft
