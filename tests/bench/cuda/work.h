// What a figure is made of: a kernel, its arguments, the work that it has to do, the memory that it works on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/spec/variant.h"

namespace graft::bench {

/// What an op does by its definition, however it is computed. `variant`: which kernel does it, by name; else the one
/// that would be chosen.
struct Work {
  Work(int64_t of_memory, int64_t of_arithmetic = 0, const char* by = nullptr)
      : bytes(of_memory), operations(of_arithmetic), variant(by) {}

  int64_t bytes;       ///< what it reads and what it writes, each once; but for arrays of a few bytes a row
  int64_t operations;  ///< products and sums of floating point; 0: the bytes are what counts
  const char* variant;

  /// Times that it is done in one graph: 32, of what takes long fewer.
  int passes() const {
    const double us = std::max({static_cast<double>(bytes) / 2e6, static_cast<double>(operations) / 1e8, 1.0});
    return static_cast<int>(std::clamp(8e3 / us, 4.0, 32.0));
  }
};

/// A kernel and its arguments, which are in other memory each time that they are asked for.
struct Kernel {
  const kernels::Variant* variant;  ///< null: none serves them
  std::function<const void*()> next;
  Work work;
};

/// Of one pass.
struct Microseconds {
  double median, least, most;
};

/// Pieces of one piece of memory, one behind the other.
struct Arena {
  unsigned char* base;
  int64_t bytes;
  int64_t taken = 0;

  /// Null where it is full.
  void* take(int64_t wanted) {
    wanted = (wanted + 255) / 256 * 256;
    if (taken + wanted > bytes) return nullptr;
    taken += wanted;
    return base + (taken - wanted);
  }
};

/// Small numbers of either sign, random but for their exponents, whichever type they are read as: multiplying zeros
/// takes less power and so less time.
inline std::vector<uint32_t> small_numbers(int64_t bytes) {
  std::vector<uint32_t> words(static_cast<size_t>((bytes + 3) / 4));
  uint64_t state = 1;
  for (uint32_t& word : words) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    word = (static_cast<uint32_t>(state >> 32) & 0x807f807fu) | 0x3c003c00u;
  }
  return words;
}

}  // namespace graft::bench
