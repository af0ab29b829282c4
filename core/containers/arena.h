// The memory of a step: one region whose offsets are planned once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace graft {

/// Hands out 64-byte aligned pieces in order. Without memory it only counts, so that a plan is recorded twice: once to
/// learn the size, once for real.
class Arena {
 public:
  /// Counting arena.
  Arena() = default;
  Arena(void* data, int64_t capacity) : data_(static_cast<std::byte*>(data)), capacity_(capacity) {}

  /// A piece of `bytes` bytes. The address of a counting arena is not to be followed.
  void* take(int64_t bytes);

  template <class T>
  T* take_array(int64_t count) {
    return static_cast<T*>(take(count * static_cast<int64_t>(sizeof(T))));
  }

  int64_t used() const { return used_; }
  /// Position to come back to with rewind, for pieces whose use has ended.
  int64_t mark() const { return used_; }
  void rewind(int64_t mark);
  /// The most bytes that were in use at once.
  int64_t peak() const { return peak_; }

 private:
  std::byte* data_ = nullptr;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

}  // namespace graft
