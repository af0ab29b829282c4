// One row of tokens on its way through the model: what it holds and how far the cache has it. Engine thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/step/step_buffer.h"

namespace graft {

class Sequence {
 public:
  /// `planned_length`: tokens it may reach. `token_types`: as many as tokens, or none.
  Sequence(CachePool& pool, std::vector<int64_t> tokens, std::vector<int64_t> token_types, int64_t planned_length);

  /// A second sequence with the same tokens, for one that has no pending token or one: full cache blocks are shared,
  /// the last one is copied. Null when the cache has no block left.
  std::unique_ptr<Sequence> fork() const;

  const std::vector<int64_t>& tokens() const { return tokens_; }
  int64_t length() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t planned_length() const { return planned_length_; }
  /// Tokens that are in the cache.
  int64_t computed() const { return computed_; }
  int64_t pending() const { return length() - computed_; }
  void append(int64_t token) { tokens_.push_back(token); }

  /// Puts up to `most` pending tokens into the step; `last` is what is wanted of the chunk that leaves none pending,
  /// `before` of the others. False (nothing put) when the cache has no block left for them.
  bool add_to(StepBuffer& step, int64_t most, StepBuffer::Wanted before, StepBuffer::Wanted last);

  /// Of the step under way: how many tokens it has here, and where its wanted rows are.
  int64_t in_step() const { return in_step_; }
  const StepBuffer::Place& place() const { return place_; }

  /// Takes the step's tokens as computed.
  void advance();

 private:
  Sequence(const Sequence& parent, CachePool& pool);

  CachePool& pool_;
  SequenceBlocks blocks_;
  int64_t planned_length_;
  std::vector<int64_t> tokens_;
  std::vector<int64_t> token_types_;
  int64_t computed_ = 0;
  int64_t in_step_ = 0;
  StepBuffer::Place place_;
};

}  // namespace graft
