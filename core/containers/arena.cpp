#include "core/containers/arena.h"

#include <algorithm>

#include "core/base/status.h"

namespace graft {
namespace {
constexpr int64_t alignment = 64;
}

void* Arena::take(int64_t bytes) {
  const int64_t start = used_;
  used_ += (bytes + alignment - 1) / alignment * alignment;
  peak_ = std::max(peak_, used_);
  if (data_ == nullptr) return reinterpret_cast<void*>(start + alignment);
  if (used_ > capacity_) {
    fail(StatusCode::internal, "step arena: {} bytes wanted, {} were planned", used_, capacity_);
  }
  return data_ + start;
}

void Arena::rewind(int64_t mark) { used_ = mark; }

}  // namespace graft
