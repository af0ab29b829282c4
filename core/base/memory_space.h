// The memory that a device's kernels work on: the host's own, or a device's whose addresses the host must not follow.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "core/base/side_stream.h"

namespace graft {

/// One thread at a time, but for `allocate` and `release`, which any thread may call.
class MemorySpace {
 public:
  virtual ~MemorySpace() = default;

  /// The host may follow the addresses, and whatever was asked for is done when the call returns.
  virtual bool is_host() const = 0;

  /// At least 64-byte aligned, of no particular content. Throws OUT_OF_MEMORY saying what it was for.
  virtual void* allocate(int64_t bytes, const char* what) = 0;
  virtual void release(void* memory, int64_t bytes) noexcept = 0;

  /// Host memory that `copy` may read or write while the host goes on.
  virtual void* allocate_staging(int64_t bytes, const char* what) = 0;
  virtual void release_staging(void* memory, int64_t bytes) noexcept = 0;

  /// Copies in the order of all work given before: inside the space, or between it and staging memory, whose bytes must
  /// stay until `synchronize`. Throws DEVICE_ERROR.
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;
  /// The same for `rows` pieces of row_bytes, strides in bytes, at least row_bytes.
  virtual void copy_rows(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                         int64_t rows) = 0;
  /// Sets bytes of the space to zero, in the order of all work given before. Throws DEVICE_ERROR.
  virtual void clear(void* to, int64_t bytes) = 0;

  /// Waits for all work. Throws DEVICE_ERROR for what failed on the way, and what a wait given to the space throws.
  virtual void synchronize() = 0;
  /// The same by itself and whatever failed: what was worked on may be given back then.
  virtual void drain() noexcept = 0;
  /// Whether all work is done, without waiting. Throws DEVICE_ERROR.
  virtual bool is_done() = 0;

  /// Null of the host's memory. Outlived by the space. Throws DEVICE_ERROR.
  virtual std::unique_ptr<SideStream> new_side_stream() = 0;
};

/// Pages of the process. Throws OUT_OF_MEMORY saying what they were for.
void* reserve_pages(int64_t bytes, const char* what);
void give_back_pages(void* memory, int64_t bytes) noexcept;

/// The host's memory behind any interface that extends MemorySpace: anonymous pages of this process, reserved at once,
/// resident when written.
template <class Base>
class HostSpace : public Base {
 public:
  bool is_host() const override { return true; }
  void* allocate(int64_t bytes, const char* what) override { return reserve_pages(bytes, what); }
  void release(void* memory, int64_t bytes) noexcept override { give_back_pages(memory, bytes); }
  void* allocate_staging(int64_t bytes, const char* what) override { return reserve_pages(bytes, what); }
  void release_staging(void* memory, int64_t bytes) noexcept override { give_back_pages(memory, bytes); }
  void copy(void* to, const void* from, int64_t bytes) override { copy_rows(to, 0, from, 0, bytes, 1); }
  void copy_rows(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                 int64_t rows) override {
    if (row_bytes < 1) return;
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(static_cast<char*>(to) + r * to_stride, static_cast<const char*>(from) + r * from_stride,
                  static_cast<size_t>(row_bytes));
    }
  }
  void clear(void* to, int64_t bytes) override {
    if (bytes > 0) std::memset(to, 0, static_cast<size_t>(bytes));
  }
  void synchronize() override {}
  void drain() noexcept override {}
  bool is_done() override { return true; }
  std::unique_ptr<SideStream> new_side_stream() override { return nullptr; }
};

/// The host's memory alone.
MemorySpace& host_memory();

/// Bytes of memory that this machine has; 0 when unknown.
int64_t physical_memory();

/// Owns a piece of a space, or of its staging memory. The space outlives it.
class SpaceMemory {
 public:
  enum class Kind { own, staging };

  SpaceMemory() = default;
  SpaceMemory(MemorySpace& space, int64_t bytes, const char* what, Kind kind = Kind::own);
  SpaceMemory(SpaceMemory&& other) noexcept { *this = static_cast<SpaceMemory&&>(other); }
  SpaceMemory& operator=(SpaceMemory&& other) noexcept;
  ~SpaceMemory();

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  MemorySpace* space_ = nullptr;
  void* data_ = nullptr;
  int64_t bytes_ = 0;
  Kind kind_ = Kind::own;
};

}  // namespace graft
