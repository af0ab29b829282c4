#include "core/base/memory_space.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/status.h"

namespace graft {
namespace {

class HostMemory final : public MemorySpace {
 public:
  bool is_host() const override { return true; }

  void* allocate(int64_t bytes, const char* what) override {
    void* memory =
        mmap(nullptr, size_of(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail(StatusCode::out_of_memory, "{}: {} bytes could not be had", what, bytes);
    return memory;
  }
  void release(void* memory, int64_t bytes) noexcept override { munmap(memory, size_of(bytes)); }
  void* allocate_staging(int64_t bytes, const char* what) override { return allocate(bytes, what); }
  void release_staging(void* memory, int64_t bytes) noexcept override { release(memory, bytes); }

  void copy(void* to, const void* from, int64_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
  }
  void upload(void* to, const void* from, int64_t bytes) override { copy(to, from, bytes); }
  void copy_rows(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                 int64_t rows) override {
    for (int64_t r = 0; r < rows; ++r) {
      copy(static_cast<char*>(to) + r * to_stride, static_cast<const char*>(from) + r * from_stride, row_bytes);
    }
  }
  void clear(void* to, int64_t bytes) override {
    if (bytes > 0) std::memset(to, 0, static_cast<size_t>(bytes));
  }
  void synchronize() override {}
  bool is_done() override { return true; }

 private:
  static size_t size_of(int64_t bytes) { return static_cast<size_t>(std::max<int64_t>(bytes, 1)); }
};

}  // namespace

MemorySpace& host_memory() {
  static HostMemory host;  // has no state
  return host;
}

int64_t physical_memory() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
  return pages > 0 && page_size > 0 ? pages * page_size : 0;
}

SpaceMemory::SpaceMemory(MemorySpace& space, int64_t bytes, const char* what, Kind kind)
    : space_(&space), bytes_(bytes), kind_(kind) {
  data_ = kind == Kind::own ? space.allocate(bytes, what) : space.allocate_staging(bytes, what);
}

SpaceMemory& SpaceMemory::operator=(SpaceMemory&& other) noexcept {
  std::swap(space_, other.space_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(kind_, other.kind_);
  return *this;
}

SpaceMemory::~SpaceMemory() {
  if (data_ == nullptr) return;
  if (kind_ == Kind::own) {
    space_->release(data_, bytes_);
  } else {
    space_->release_staging(data_, bytes_);
  }
}

}  // namespace graft
