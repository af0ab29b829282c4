#include "core/base/memory_space.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace graft {
namespace {

size_t size_of(int64_t bytes) { return static_cast<size_t>(std::max<int64_t>(bytes, 1)); }

}  // namespace

void* reserve_pages(int64_t bytes, const char* what) {
  void* memory =
      mmap(nullptr, size_of(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail(StatusCode::out_of_memory, "{}: {} bytes could not be had", what, bytes);
  return memory;
}

void give_back_pages(void* memory, int64_t bytes) noexcept { munmap(memory, size_of(bytes)); }

MemorySpace& host_memory() {
  // Never destroyed: engines may end, and give memory back, while the process does.
  static auto* const host = new HostSpace<MemorySpace>;
  return *host;
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
