#include "core/generation/work/sequence.h"

#include <algorithm>

namespace graft {

Sequence::Sequence(CachePool& pool, std::vector<int64_t> tokens, std::vector<int64_t> token_types,
                   int64_t planned_length)
    : pool_(pool),
      blocks_(pool),
      planned_length_(planned_length),
      tokens_(std::move(tokens)),
      token_types_(std::move(token_types)) {
  tokens_.reserve(static_cast<size_t>(planned_length));
}

Sequence::Sequence(const Sequence& parent, CachePool& pool)
    : pool_(pool),
      blocks_(pool),
      planned_length_(parent.planned_length_),
      tokens_(parent.tokens_),
      computed_(parent.computed_) {
  tokens_.reserve(static_cast<size_t>(planned_length_));
}

std::unique_ptr<Sequence> Sequence::fork() const {
  std::unique_ptr<Sequence> child(new Sequence(*this, pool_));
  if (!child->blocks_.share(blocks_, computed_)) return nullptr;
  return child;
}

bool Sequence::add_to(StepBuffer& step, int64_t most, StepBuffer::Wanted before, StepBuffer::Wanted last) {
  const int64_t count = std::min(pending(), most);
  blocks_.drop_before(computed_);
  if (!blocks_.grow(computed_ + count)) return false;
  // Where there are more, it has those that a device may write to before it hears of the host again.
  if (count == 1) blocks_.grow(std::min(planned_length_, computed_ + count + step.traits().tokens_ahead));
  const int64_t* types = token_types_.empty() ? nullptr : token_types_.data() + computed_;
  place_ = step.add_sequence(tokens_.data() + computed_, types, count, computed_, planned_length_, blocks_,
                             count == pending() ? last : before);
  in_step_ = count;
  return true;
}

void Sequence::advance() {
  computed_ += in_step_;
  in_step_ = 0;
}

}  // namespace graft
