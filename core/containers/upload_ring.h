// Weights into a device's memory as fast as file and bus let them: several threads read into a ring of pinned chunks,
// two streams copy what is read, and nothing waits for the one before. The calling thread alone talks to the device.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/memory_space.h"
#include "core/checkpoint/mapped_file.h"

namespace graft {

/// `count` runs of `bytes` bytes in host memory, each `stride` bytes after the one before.
struct ByteRuns {
  const std::byte* data = nullptr;
  int64_t bytes = 0;
  int64_t stride = 0;
  int64_t count = 1;

  int64_t total() const { return bytes * count; }
};

/// What is to be copied: these runs, one after another.
using UploadSource = std::vector<ByteRuns>;

struct UploadLimits {
  int64_t chunk_bytes = int64_t{4} << 20;
  int64_t chunks = 16;
  int64_t readers = 8;  ///< threads
};

/// No more memory and threads than `total_bytes` are worth, and at most `threads` threads.
UploadLimits upload_limits(int64_t total_bytes, int64_t threads);

/// For one thread, the space's. Its memory, streams and threads are there until finish() or its end, which waits for
/// the copies under way. After a throw it can only be destroyed.
class UploadRing {
 public:
  using Files = std::vector<std::shared_ptr<const MappedFile>>;

  /// Sources inside the mapping of a file of `files` are read from the file where that is open (WeightsMode::parts), so
  /// that one that shrinks is an error; others are copied from memory. Where pinned memory cannot be had the ring is
  /// shorter, in the end of the process's own pages. Throws DEVICE_ERROR, OUT_OF_MEMORY.
  UploadRing(MemorySpace& space, Files files, const UploadLimits& limits);
  ~UploadRing();
  UploadRing(const UploadRing&) = delete;
  UploadRing& operator=(const UploadRing&) = delete;

  int64_t chunk_bytes() const { return chunk_bytes_; }
  int64_t chunks() const { return static_cast<int64_t>(slots_.size()); }

  /// Copies the source to `to` in the space, which stays until finish(); so do the source's bytes, for as long as
  /// `keep` is held. Waits for room in the ring. Throws IO_ERROR naming the file, DEVICE_ERROR, for this or an earlier
  /// source.
  void copy(UploadSource source, void* to, std::shared_ptr<const void> keep);

  /// Puts work on `stream` that reads what has just been copied to `raw`, memory of the space that stays until that
  /// work is done. Called on the ring's thread.
  using Then = std::function<void(SideStream& stream, const void* raw)>;
  /// As copy, of bytes [begin, begin + bytes) of the source, at most chunk_bytes, to scratch in the space; `then` makes
  /// of them what is kept. Throws OUT_OF_MEMORY too.
  void give(std::shared_ptr<const UploadSource> source, int64_t begin, int64_t bytes, Then then,
            std::shared_ptr<const void> keep);

  /// Reads the source into host memory, by the calling thread. Throws IO_ERROR naming the file.
  void read(const UploadSource& source, std::byte* to) const;

  /// Waits until all has arrived and gives the ring back. Throws as copy.
  void finish();

 private:
  enum class State { free, reading, copying };
  struct Slot {
    State state = State::free;
    bool read = false;             ///< under the mutex while reading
    std::exception_ptr failure;    ///< likewise
    std::byte* staging = nullptr;  ///< [chunk_bytes]
    std::byte* raw = nullptr;      ///< the same in the space, once something was given
    SideStream* stream = nullptr;  ///< always the same, so that `raw` is not written to while it is read
    std::shared_ptr<const UploadSource> source;
    std::shared_ptr<const void> keep;
    int64_t begin = 0, bytes = 0;
    void* to = nullptr;
    Then then;
  };

  void allocate(const UploadLimits& limits);
  void start_readers(int64_t count);
  void put(std::shared_ptr<const UploadSource> source, int64_t begin, int64_t bytes, void* to, Then then,
           std::shared_ptr<const void> keep);
  Slot& free_slot();
  void fill(const UploadSource& source, int64_t begin, int64_t bytes, std::byte* to) const;
  const MappedFile* file_of(const ByteRuns& runs) const;
  void read_loop();
  bool send_what_is_read();
  void send(Slot& slot);
  void wait_for_a_read();
  void join();
  void release() noexcept;

  MemorySpace& space_;
  Files files_;
  int64_t chunk_bytes_ = 0;
  SpaceMemory pinned_, raw_;
  void* pages_ = nullptr;  ///< where pinned memory cannot be had
  int64_t pages_bytes_ = 0;
  std::unique_ptr<SideStream> streams_[2];
  std::vector<Slot> slots_;
  size_t next_ = 0;  ///< slot to fill

  std::mutex mutex_;
  std::condition_variable to_read_, was_read_;
  std::deque<Slot*> waiting_;
  bool stop_ = false;
  std::vector<std::thread> readers_;
};

}  // namespace graft
