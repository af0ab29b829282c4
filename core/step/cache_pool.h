// The paged key/value cache: storage and the blocks that sequences hold.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/memory_space.h"
#include "kernels/spec/rotary.h"

namespace graft {

/// Layers that share block geometry and window share one kind, hence one block table per sequence.
struct CacheKind {
  int64_t layers = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t window = 0;  ///< 0: every token is kept; otherwise blocks that fell out of the window are given back
  int64_t block_size = 0;
  DType dtype = DType::float32;

  /// Bytes of one block over all layers of the kind, keys and values.
  int64_t block_bytes() const;
};

/// Tokens per block by head width: 128 up to 64 lanes, 64 up to 128, 32 beyond (as DeepSpeed's blocked cache).
int64_t block_size_for(int64_t head_dim);

/// Storage of all kinds and their free lists. Used by one thread (the engine's). Memory is reserved at once; the host's
/// becomes resident when blocks are first written.
class CachePool {
 public:
  /// `blocks[k]` blocks for kind k, in a space that outlives the pool. Throws OUT_OF_MEMORY when it has not as much.
  CachePool(std::vector<CacheKind> kinds, std::vector<int64_t> blocks, MemorySpace& space = host_memory());
  CachePool(const CachePool&) = delete;
  CachePool& operator=(const CachePool&) = delete;

  int64_t kind_count() const { return static_cast<int64_t>(kinds_.size()); }
  const CacheKind& kind(int64_t index) const { return kinds_[static_cast<size_t>(index)]; }
  int64_t blocks(int64_t kind) const { return blocks_[static_cast<size_t>(kind)]; }
  int64_t free_blocks(int64_t kind) const;

  /// The storage of the `layer`-th layer of a kind.
  kernels::PagedCache layer(int64_t kind, int64_t layer) const;

  /// A free block of the kind, or -1. It is free again when everyone who holds it has given it back.
  int32_t take(int64_t kind);
  /// One more holder of a block.
  void share(int64_t kind, int32_t block);
  void give_back(int64_t kind, int32_t block);

  struct BlockCopy {
    int32_t kind, from, to;
  };
  /// Copies keys and values of a block, over all layers of the kind.
  void copy_block(BlockCopy copy);
  /// From now on copies are also noted, for the pools of other ranks to repeat.
  void note_copies() { noting_ = true; }
  /// What was noted and not yet forgotten, in order.
  const std::vector<BlockCopy>& noted_copies() const { return noted_; }
  void forget_copies() { noted_.clear(); }

 private:
  MemorySpace& space_;
  std::vector<CacheKind> kinds_;
  std::vector<int64_t> blocks_;
  std::vector<std::vector<int32_t>> free_;
  std::vector<std::vector<int32_t>> holders_;  ///< of each block
  std::vector<SpaceMemory> storage_;           ///< of each kind
  bool noting_ = false;
  std::vector<BlockCopy> noted_;
};

/// The blocks that one sequence holds, per kind. Given back on destruction.
class SequenceBlocks {
 public:
  explicit SequenceBlocks(CachePool& pool);
  ~SequenceBlocks();
  SequenceBlocks(const SequenceBlocks&) = delete;
  SequenceBlocks& operator=(const SequenceBlocks&) = delete;

  /// Makes room for tokens [length(), length). False (nothing changed) when the pool is short.
  bool grow(int64_t length);
  int64_t length() const { return length_; }

  /// Makes this, which is empty, hold the first `length` tokens of `other`: its full blocks are shared, the last one is
  /// copied, since both will write there. False (nothing changed) when the pool is short.
  bool share(const SequenceBlocks& other, int64_t length);

  /// Gives back the blocks of windowed kinds that no query at or after `position` can see.
  void drop_before(int64_t position);

  /// Block of tokens j * block_size .. for kind k; -1 where dropped.
  const std::vector<int32_t>& table(int64_t kind) const { return tables_[static_cast<size_t>(kind)]; }
  int32_t slot(int64_t kind, int64_t position) const;

  /// The most blocks of a kind that a sequence of `length` tokens, fed at most `chunk` tokens a step, those included
  /// that it has blocks for beyond its own, holds at once.
  static int64_t most_blocks(const CacheKind& kind, int64_t length, int64_t chunk);

 private:
  void release_all();

  CachePool& pool_;
  int64_t length_ = 0;
  std::vector<std::vector<int32_t>> tables_;
  std::vector<int64_t> first_held_;
};

}  // namespace graft
