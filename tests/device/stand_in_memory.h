// The memory of the stand-in device: pages that nobody can touch but while the device works. Those that are shared lie
// in a file without a name, which other processes find through /proc.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

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
    mprotect(memory, size, protection());
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
    if (found->second.count != nullptr) munmap(found->second.count, page());
    if (found->second.file >= 0) ::close(found->second.file);
    regions_.erase(found);
    return true;
  }

  /// Moves a region to where other processes can open it. The name by which they do; empty where that fails.
  std::string share(void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(static_cast<char*>(memory));
    if (found == regions_.end() || found->second.file >= 0) return {};
    Region& region = found->second;
    const int file = memfd_create("stand_in", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, static_cast<off_t>(region.size + page())) != 0) return {};
    mprotect(memory, region.size, PROT_READ | PROT_WRITE);
    if (pwrite(file, memory, region.size, 0) != static_cast<ssize_t>(region.size)) return {};
    mmap(memory, region.size, protection(), MAP_SHARED | MAP_FIXED, file, 0);
    region.file = file;
    region.count = map_count(file, region.size);
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file) + ":" + std::to_string(region.size);
  }
  /// Null where there is no such thing.
  void* open_shared(const std::string& name) {
    const size_t colon = name.find(':');
    if (colon == std::string::npos) return nullptr;
    const size_t size = std::stoull(name.substr(colon + 1));
    const int file = ::open(name.substr(0, colon).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) return nullptr;
    const std::lock_guard lock(mutex_);
    void* memory = mmap(nullptr, size, protection(), MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return nullptr;
    regions_[static_cast<char*>(memory)] = {size, -1, 0, file, map_count(file, size)};
    return memory;
  }
  /// A number that lies beside a shared region, for whoever has it open; null for others. The host may look at it.
  std::atomic<int64_t>* count_beside(const void* memory) const {
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(static_cast<char*>(const_cast<void*>(memory)));
    return found != regions_.end() ? found->second.count : nullptr;
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
    int file = -1;
    std::atomic<int64_t>* count = nullptr;
  };

  static size_t page() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
  static std::atomic<int64_t>* map_count(int file, size_t size) {
    void* memory = mmap(nullptr, page(), PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(size));
    return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<int64_t>*>(memory);
  }
  int protection() const { return open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE; }

  static size_t pages(int64_t bytes) { return (static_cast<size_t>(bytes) + page() - 1) / page() * page(); }
  void protect(int how) {
    for (const auto& [begin, region] : regions_) mprotect(begin, region.size, how);
  }

  mutable std::mutex mutex_;
  std::map<char*, Region> regions_;
  int open_;
};

}  // namespace graft::stand_in
