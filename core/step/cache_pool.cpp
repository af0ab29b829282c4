#include "core/step/cache_pool.h"

#include <algorithm>

namespace graft {

int64_t CacheKind::block_bytes() const { return layers * kv_heads * block_size * head_dim * 2 * (bits_of(dtype) / 8); }

int64_t block_size_for(int64_t head_dim) { return head_dim <= 64 ? 128 : head_dim <= 128 ? 64 : 32; }

CachePool::CachePool(std::vector<CacheKind> kinds, std::vector<int64_t> blocks, MemorySpace& space)
    : space_(space),
      kinds_(std::move(kinds)),
      blocks_(std::move(blocks)),
      free_(kinds_.size()),
      holders_(kinds_.size()) {
  for (size_t k = 0; k < kinds_.size(); ++k) {
    storage_.emplace_back(space_, kinds_[k].block_bytes() * blocks_[k], "cache");
    free_[k].reserve(static_cast<size_t>(blocks_[k]));
    holders_[k].resize(static_cast<size_t>(blocks_[k]), 0);
    for (int64_t b = blocks_[k]; b > 0; --b) free_[k].push_back(static_cast<int32_t>(b - 1));
  }
}

int64_t CachePool::free_blocks(int64_t kind) const {
  return static_cast<int64_t>(free_[static_cast<size_t>(kind)].size());
}

kernels::PagedCache CachePool::layer(int64_t kind, int64_t layer) const {
  const CacheKind& geometry = kinds_[static_cast<size_t>(kind)];
  const int64_t half = geometry.block_bytes() / (2 * geometry.layers) * blocks_[static_cast<size_t>(kind)];
  char* base = static_cast<char*>(storage_[static_cast<size_t>(kind)].data()) + layer * 2 * half;
  kernels::PagedCache cache;
  cache.key = base;
  cache.value = base + half;
  cache.dtype = geometry.dtype;
  cache.block_size = static_cast<int32_t>(geometry.block_size);
  cache.kv_heads = static_cast<int32_t>(geometry.kv_heads);
  cache.head_dim = static_cast<int32_t>(geometry.head_dim);
  return cache;
}

int32_t CachePool::take(int64_t kind) {
  std::vector<int32_t>& list = free_[static_cast<size_t>(kind)];
  if (list.empty()) return -1;
  const int32_t block = list.back();
  list.pop_back();
  holders_[static_cast<size_t>(kind)][static_cast<size_t>(block)] = 1;
  return block;
}

void CachePool::share(int64_t kind, int32_t block) {
  ++holders_[static_cast<size_t>(kind)][static_cast<size_t>(block)];
}

void CachePool::give_back(int64_t kind, int32_t block) {
  if (--holders_[static_cast<size_t>(kind)][static_cast<size_t>(block)] == 0) {
    free_[static_cast<size_t>(kind)].push_back(block);
  }
}

void CachePool::copy_block(BlockCopy copy) {
  if (noting_) noted_.push_back(copy);
  const CacheKind& geometry = kinds_[static_cast<size_t>(copy.kind)];
  const int64_t bytes = geometry.block_bytes() / (2 * geometry.layers);
  for (int64_t l = 0; l < geometry.layers; ++l) {
    const kernels::PagedCache cache = layer(copy.kind, l);
    for (void* half : {cache.key, cache.value}) {
      char* base = static_cast<char*>(half);
      space_.copy(base + copy.to * bytes, base + copy.from * bytes, bytes);
    }
  }
}

SequenceBlocks::SequenceBlocks(CachePool& pool)
    : pool_(pool),
      tables_(static_cast<size_t>(pool.kind_count())),
      first_held_(static_cast<size_t>(pool.kind_count()), 0) {}

SequenceBlocks::~SequenceBlocks() { release_all(); }

void SequenceBlocks::release_all() {
  for (size_t k = 0; k < tables_.size(); ++k) {
    for (int32_t block : tables_[k]) {
      if (block >= 0) pool_.give_back(static_cast<int64_t>(k), block);
    }
    tables_[k].clear();
  }
}

bool SequenceBlocks::grow(int64_t length) {
  for (size_t k = 0; k < tables_.size(); ++k) {
    const int64_t size = pool_.kind(static_cast<int64_t>(k)).block_size;
    const int64_t missing = (length + size - 1) / size - static_cast<int64_t>(tables_[k].size());
    if (missing > pool_.free_blocks(static_cast<int64_t>(k))) return false;
  }
  for (size_t k = 0; k < tables_.size(); ++k) {
    const int64_t size = pool_.kind(static_cast<int64_t>(k)).block_size;
    const int64_t wanted = (length + size - 1) / size;
    while (static_cast<int64_t>(tables_[k].size()) < wanted) tables_[k].push_back(pool_.take(static_cast<int64_t>(k)));
  }
  length_ = std::max(length_, length);
  return true;
}

bool SequenceBlocks::share(const SequenceBlocks& other, int64_t length) {
  const auto size_of = [&](size_t k) { return pool_.kind(static_cast<int64_t>(k)).block_size; };
  for (size_t k = 0; k < tables_.size(); ++k) {
    if (length % size_of(k) != 0 && pool_.free_blocks(static_cast<int64_t>(k)) < 1) return false;
  }
  for (size_t k = 0; k < tables_.size(); ++k) {
    const auto kind = static_cast<int64_t>(k);
    const int64_t full = length / size_of(k);
    first_held_[k] = other.first_held_[k];
    for (int64_t b = 0; b < full; ++b) {
      const int32_t block = other.tables_[k][static_cast<size_t>(b)];
      if (block >= 0) pool_.share(kind, block);
      tables_[k].push_back(block);
    }
    if (length % size_of(k) != 0) {
      tables_[k].push_back(pool_.take(kind));
      pool_.copy_block({static_cast<int32_t>(kind), other.tables_[k][static_cast<size_t>(full)], tables_[k].back()});
    }
  }
  length_ = length;
  return true;
}

void SequenceBlocks::drop_before(int64_t position) {
  for (size_t k = 0; k < tables_.size(); ++k) {
    const CacheKind& kind = pool_.kind(static_cast<int64_t>(k));
    if (kind.window == 0) continue;
    const int64_t first_visible = std::max<int64_t>(0, position - kind.window + 1);
    const int64_t first_kept =
        std::min<int64_t>(first_visible / kind.block_size, static_cast<int64_t>(tables_[k].size()));
    for (int64_t& b = first_held_[k]; b < first_kept; ++b) {
      int32_t& block = tables_[k][static_cast<size_t>(b)];
      pool_.give_back(static_cast<int64_t>(k), block);
      block = -1;
    }
  }
}

int32_t SequenceBlocks::slot(int64_t kind, int64_t position) const {
  const int64_t size = pool_.kind(kind).block_size;
  const int32_t block = tables_[static_cast<size_t>(kind)][static_cast<size_t>(position / size)];
  return static_cast<int32_t>(block * size + position % size);
}

int64_t SequenceBlocks::most_blocks(const CacheKind& kind, int64_t length, int64_t chunk) {
  const int64_t all = (length + kind.block_size - 1) / kind.block_size;
  if (kind.window == 0) return all;
  // A step holds the window before its first query and its own tokens; both ends may lie inside a block.
  return std::min(all, (kind.window + chunk + kind.block_size - 1) / kind.block_size + 1);
}

}  // namespace graft
