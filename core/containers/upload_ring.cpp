#include "core/containers/upload_ring.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr int64_t least_chunk = int64_t{64} << 10;
constexpr int64_t alignment = 256;                   // of every chunk, as kernels like it
constexpr int64_t read_at_once = int64_t{32} << 10;  // less is read sooner than a thread wakes up

int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

}  // namespace

UploadLimits upload_limits(int64_t total_bytes, int64_t threads) {
  UploadLimits limits;
  limits.chunk_bytes = std::clamp(round_up(total_bytes / limits.chunks, least_chunk), least_chunk, limits.chunk_bytes);
  limits.chunks = std::clamp<int64_t>(total_bytes / limits.chunk_bytes + 1, 2, limits.chunks);
  limits.readers = std::clamp<int64_t>(std::min(threads, limits.chunks / 2), 1, limits.readers);
  return limits;
}

UploadRing::UploadRing(MemorySpace& space, Files files, const UploadLimits& limits)
    : space_(space),
      files_(std::move(files)),
      chunk_bytes_(round_up(std::max<int64_t>(limits.chunk_bytes, 1), alignment)) {
  try {
    for (auto& stream : streams_) stream = space_.new_side_stream();
    allocate(limits);
    start_readers(limits.readers);
  } catch (...) {
    release();
    throw;
  }
}

UploadRing::~UploadRing() { release(); }

// One piece for all chunks: pinning takes a call of some milliseconds each.
void UploadRing::allocate(const UploadLimits& limits) {
  int64_t chunks = std::max<int64_t>(limits.chunks, 1);
  std::byte* memory = nullptr;
  while (memory == nullptr && chunks >= 1) {
    try {
      pinned_ = SpaceMemory(space_, chunks * chunk_bytes_, "ring for loading", SpaceMemory::Kind::staging);
      memory = static_cast<std::byte*>(pinned_.data());
    } catch (const Error& error) {
      if (error.code() != StatusCode::out_of_memory) throw;
      chunks /= 2;
    }
  }
  if (memory == nullptr) {  // copies from here wait, reading still goes on beside them
    chunks = std::min<int64_t>(std::max<int64_t>(limits.chunks, 1), 4);
    pages_bytes_ = chunks * chunk_bytes_;
    pages_ = reserve_pages(pages_bytes_, "ring for loading");
    memory = static_cast<std::byte*>(pages_);
  }
  slots_.resize(static_cast<size_t>(chunks));
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].staging = memory + static_cast<int64_t>(i) * chunk_bytes_;
    slots_[i].stream = streams_[i % 2].get();
  }
}

// Fewer where the system gives no more; without any the calling thread reads.
void UploadRing::start_readers(int64_t count) {
  try {
    for (int64_t i = 0; i < std::min(count, chunks()); ++i) readers_.emplace_back([this] { read_loop(); });
  } catch (const std::system_error&) {
  }
}

void UploadRing::copy(UploadSource source, void* to, std::shared_ptr<const void> keep) {
  int64_t total = 0;
  for (const ByteRuns& runs : source) total += runs.total();
  const auto shared = std::make_shared<const UploadSource>(std::move(source));
  for (int64_t begin = 0; begin < total; begin += chunk_bytes_) {
    put(shared, begin, std::min(chunk_bytes_, total - begin), static_cast<std::byte*>(to) + begin, nullptr, keep);
  }
}

void UploadRing::give(std::shared_ptr<const UploadSource> source, int64_t begin, int64_t bytes, Then then,
                      std::shared_ptr<const void> keep) {
  if (bytes > chunk_bytes_) fail(StatusCode::internal, "{} bytes in a chunk of {}", bytes, chunk_bytes_);
  if (raw_.data() == nullptr) {
    raw_ = SpaceMemory(space_, chunks() * chunk_bytes_, "weights as they are stored");
    for (size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].raw = static_cast<std::byte*>(raw_.data()) + static_cast<int64_t>(i) * chunk_bytes_;
    }
  }
  put(std::move(source), begin, bytes, nullptr, std::move(then), std::move(keep));
}

void UploadRing::put(std::shared_ptr<const UploadSource> source, int64_t begin, int64_t bytes, void* to, Then then,
                     std::shared_ptr<const void> keep) {
  Slot& slot = free_slot();
  slot.source = std::move(source);
  slot.keep = std::move(keep);
  slot.begin = begin;
  slot.bytes = bytes;
  slot.to = then ? slot.raw : to;
  slot.then = std::move(then);
  slot.read = false;
  slot.failure = nullptr;
  if (readers_.empty() || bytes <= read_at_once) {
    fill(*slot.source, begin, bytes, slot.staging);
    slot.state = State::reading;
    send(slot);
    return;
  }
  slot.state = State::reading;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&slot);
  }
  to_read_.notify_one();
}

// Chunks are used in turn. What is read meanwhile is sent, so that the bus never waits for this thread alone.
UploadRing::Slot& UploadRing::free_slot() {
  Slot& slot = slots_[next_];
  next_ = (next_ + 1) % slots_.size();
  send_what_is_read();
  while (slot.state == State::reading) wait_for_a_read();
  if (slot.state == State::copying) slot.stream->wait(&slot - slots_.data());
  slot.state = State::free;
  return slot;
}

void UploadRing::wait_for_a_read() {
  if (send_what_is_read()) return;
  std::unique_lock lock(mutex_);
  was_read_.wait(lock, [this] {
    return std::ranges::any_of(slots_, [](const Slot& slot) { return slot.state == State::reading && slot.read; });
  });
}

// Whether there was any. Throws what a reader threw.
bool UploadRing::send_what_is_read() {
  bool any = false;
  for (Slot& slot : slots_) {
    if (slot.state != State::reading) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!slot.read) continue;
    }
    if (slot.failure) std::rethrow_exception(slot.failure);
    send(slot);
    any = true;
  }
  return any;
}

void UploadRing::send(Slot& slot) {
  slot.state = State::copying;
  slot.source.reset();  // here and not in a reader: who holds a tensor last frees it
  slot.keep.reset();
  slot.stream->copy(slot.to, slot.staging, slot.bytes);
  if (slot.then) slot.then(*slot.stream, slot.raw);
  slot.then = nullptr;
  slot.stream->mark(&slot - slots_.data());
}

const MappedFile* UploadRing::file_of(const ByteRuns& runs) const {
  for (const auto& file : files_) {
    if (runs.data >= file->data() && runs.data < file->data() + file->size()) return file.get();
  }
  return nullptr;
}

// Bytes [begin, begin + bytes) of the runs as if they lay one after another.
void UploadRing::fill(const UploadSource& source, int64_t begin, int64_t bytes, std::byte* to) const {
  int64_t skip = begin, left = bytes;
  for (const ByteRuns& runs : source) {
    if (left == 0) return;
    if (skip >= runs.total()) {
      skip -= runs.total();
      continue;
    }
    const MappedFile* file = file_of(runs);
    for (int64_t run = skip / runs.bytes; run < runs.count && left > 0; ++run) {
      const int64_t within = skip % runs.bytes, of_run = std::min(runs.bytes - within, left);
      const std::byte* from = runs.data + run * runs.stride + within;
      if (file != nullptr) {
        file->read(from - file->data(), of_run, to);
      } else {
        std::memcpy(to, from, static_cast<size_t>(of_run));
      }
      to += of_run;
      left -= of_run;
      skip = 0;
    }
    skip = 0;
  }
}

void UploadRing::read(const UploadSource& source, std::byte* to) const {
  for (const ByteRuns& runs : source) {
    fill({runs}, 0, runs.total(), to);
    to += runs.total();
  }
}

void UploadRing::read_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    to_read_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    Slot& slot = *waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    std::exception_ptr failure;
    try {
      fill(*slot.source, slot.begin, slot.bytes, slot.staging);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    slot.failure = failure;
    slot.read = true;
    was_read_.notify_one();
  }
}

void UploadRing::finish() {
  const auto is_reading = [](const Slot& slot) { return slot.state == State::reading; };
  while (std::ranges::any_of(slots_, is_reading)) wait_for_a_read();
  for (const auto& stream : streams_) {
    if (stream) stream->synchronize();
  }
  release();
}

void UploadRing::join() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    waiting_.clear();
  }
  to_read_.notify_all();
  for (std::thread& reader : readers_) reader.join();
  readers_.clear();
}

// Nobody reads into the ring or copies from it any more when it is given back.
void UploadRing::release() noexcept {
  join();
  for (auto& stream : streams_) {
    if (stream) stream->drain();
  }
  slots_.clear();
  for (auto& stream : streams_) stream.reset();
  pinned_ = SpaceMemory();
  raw_ = SpaceMemory();
  if (pages_ != nullptr) give_back_pages(std::exchange(pages_, nullptr), pages_bytes_);
  files_.clear();
}

}  // namespace graft
