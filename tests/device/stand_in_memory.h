// The memory of the stand-in device: the process's own pages, which nobody can touch but while the device works.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>

namespace graft::stand_in {

/// All regions of one sort in the process. Any thread.
class Memory {
 public:
  /// `host`: the host may use it at any time.
  explicit Memory(bool host) : open_(host ? 1 : 0) {}

  /// New memory is full of NaN; null when the system has none, or `owner` would have more than `most` bytes.
  void* allocate(int64_t bytes, int32_t owner = 0, int64_t most = INT64_MAX) {
    const size_t size = pages(bytes);
    if (used(owner) + bytes > most) return nullptr;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    // A cache that could hold every sequence at full length is not written through: that would make it resident.
    if (size <= size_t{64} << 20) std::memset(memory, 0xff, size);
    const std::lock_guard lock(mutex_);
    mprotect(memory, size, open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
    regions_[static_cast<char*>(memory)] = {size, owner, bytes};
    return memory;
  }

  /// False where it was not had from here, or is gone already.
  bool release(void* memory) {
    if (memory == nullptr) return true;
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(static_cast<char*>(memory));
    if (found == regions_.end()) return false;
    munmap(memory, found->second.size);
    regions_.erase(found);
    return true;
  }

  /// Bytes that the owner asked for and has.
  int64_t used(int32_t owner) const {
    const std::lock_guard lock(mutex_);
    int64_t bytes = 0;
    for (const auto& [begin, region] : regions_) bytes += region.owner == owner ? region.bytes : 0;
    return bytes;
  }

  bool holds(const void* address, int64_t bytes = 1) const {
    const std::lock_guard lock(mutex_);
    const auto* begin = static_cast<const char*>(address);
    auto after = regions_.upper_bound(const_cast<char*>(begin));
    if (after == regions_.begin()) return false;
    --after;
    return begin + bytes <= after->first + after->second.size;
  }

  /// Between these two, by any number of threads, the memory can be read and written.
  void open() {
    const std::lock_guard lock(mutex_);
    if (open_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (--open_ == 0) protect(PROT_NONE);
  }

  int64_t regions() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int64_t>(regions_.size());
  }

 private:
  struct Region {
    size_t size;
    int32_t owner;
    int64_t bytes;
  };

  static size_t pages(int64_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return (static_cast<size_t>(bytes) + page - 1) / page * page;
  }
  void protect(int how) {
    for (const auto& [begin, region] : regions_) mprotect(begin, region.size, how);
  }

  mutable std::mutex mutex_;
  std::map<char*, Region> regions_;
  int open_;
};

}  // namespace graft::stand_in
