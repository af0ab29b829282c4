// A space for tests: host memory behind the interface of a device whose side streams work only when they are waited
// for, and which counts what is had and what is given back too early.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/base/memory_space.h"
#include "core/base/status.h"

namespace graft::test {

class LateSpace : public HostSpace<MemorySpace> {
 public:
  int64_t most_staging = INT64_MAX;  ///< bytes of a piece
  int64_t fail_copy = 0;             ///< the n-th from now

  /// The work of a kernel on a copy of its arguments; null: there is none.
  std::function<std::function<void()>(kernels::Op op, const void* args)> kernel;

  bool is_host() const override { return false; }
  void* allocate(int64_t bytes, const char* what) override {
    ++pieces_;
    return HostSpace::allocate(bytes, what);
  }
  void release(void* memory, int64_t bytes) noexcept override {
    --pieces_;
    if (waiting_ > 0) ++early_releases_;
    HostSpace::release(memory, bytes);
  }
  void* allocate_staging(int64_t bytes, const char* what) override {
    if (bytes > most_staging) fail(StatusCode::out_of_memory, "{}: {} bytes of pinned memory", what, bytes);
    return allocate(bytes, what);
  }
  void release_staging(void* memory, int64_t bytes) noexcept override { release(memory, bytes); }
  std::unique_ptr<SideStream> new_side_stream() override { return std::make_unique<Stream>(*this); }

  int64_t pieces() const { return pieces_; }
  int64_t early_releases() const { return early_releases_; }
  static std::vector<std::byte> read(const SpaceMemory& memory) {
    const auto* data = static_cast<const std::byte*>(memory.data());
    return {data, data + memory.bytes()};
  }

 private:
  class Stream : public SideStream {
   public:
    explicit Stream(LateSpace& space) : space_(space) {}
    ~Stream() override { drain(); }
    void copy(void* to, const void* from, int64_t bytes) override {
      if (space_.fail_copy > 0 && --space_.fail_copy == 0) fail(StatusCode::device_error, "a copy that was to fail");
      give([=] { std::memcpy(to, from, static_cast<size_t>(bytes)); });
    }
    void run(kernels::Op op, const void* args) override {
      auto work = space_.kernel ? space_.kernel(op, args) : nullptr;
      if (!work) fail(StatusCode::unsupported, "no kernel");
      give(std::move(work));
    }
    void mark(int64_t index) override { marks_[index] = given_; }
    void wait(int64_t index) override {
      while (done_ < marks_[index]) advance();
    }
    void synchronize() override { drain(); }
    void drain() noexcept override {
      while (!work_.empty()) advance();
    }

    void give(std::function<void()> work) {
      work_.push_back(std::move(work));
      ++given_;
      ++space_.waiting_;
    }

   private:
    void advance() {
      work_.front()();
      work_.pop_front();
      ++done_;
      --space_.waiting_;
    }

    LateSpace& space_;
    std::deque<std::function<void()>> work_;
    std::map<int64_t, int64_t> marks_;
    int64_t given_ = 0, done_ = 0;
  };

  int64_t pieces_ = 0, early_releases_ = 0, waiting_ = 0;
};

}  // namespace graft::test
