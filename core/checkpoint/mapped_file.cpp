#include "core/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>
#include <utility>

#include "core/base/memory_space.h"
#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail_open(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    fail(StatusCode::not_found, "{}: the file does not exist", printable(path, most_of_path));
  }
  const StatusCode code = error == ENOMEM ? StatusCode::out_of_memory : StatusCode::io_error;
  fail(code, "{}: cannot open the file: {}", printable(path, most_of_path), reason(error));
}

// Bytes [offset, offset + size) of the file into `data`.
void read_range(int descriptor, const std::string& path, std::byte* data, int64_t offset, int64_t size) {
  constexpr int64_t chunk = int64_t{1} << 30;
  int64_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(descriptor, data + done, static_cast<size_t>(std::min(chunk, size - done)),
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(StatusCode::io_error, "{}: cannot read at byte {}: {}", path, offset + done, reason(errno));
    if (count == 0) {
      fail(StatusCode::io_error, "{}: found {} bytes, expected {}: the file shrank while it was read", path,
           offset + done, offset + size);
    }
    done += count;
  }
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path, WeightsMode mode, int64_t max_size) {
  if (path.find('\0') != std::string::npos) {
    fail(StatusCode::invalid_argument, "{}: a path cannot hold a NUL byte", quote(path));
  }
  // O_NONBLOCK: opening a FIFO must not wait for its writer. It means nothing for regular files.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.number() < 0) fail_open(path, errno);
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) fail_open(path, errno);
  const std::string shown = printable(path, most_of_path);
  if (S_ISDIR(status.st_mode)) fail(StatusCode::io_error, "{}: is a directory, expected a file", shown);
  if (!S_ISREG(status.st_mode)) fail(StatusCode::io_error, "{}: is not a regular file", shown);
  if (status.st_size == 0) fail(StatusCode::corrupt_data, "{}: the file is empty", shown);
  if (status.st_size > max_size) {
    fail(StatusCode::limit_exceeded, "{}: found {} bytes, expected at most {}", shown, status.st_size, max_size);
  }

  // The object comes first, so that its destructor unmaps whatever happens next.
  const std::shared_ptr<MappedFile> file(new MappedFile(path, mode));
  const auto size = static_cast<size_t>(status.st_size);
  const bool map = mode != WeightsMode::read;
  // A sparse file can claim any size; where the system overcommits, reading it would end in the out-of-memory killer.
  if (const int64_t memory = physical_memory(); !map && memory > 0 && status.st_size > memory) {
    fail(StatusCode::out_of_memory, "{}: cannot read {} bytes into {} bytes of memory; map the file instead", shown,
         status.st_size, memory);
  }
  void* memory = map ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.number(), 0)
                     : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    fail(error == ENOMEM ? StatusCode::out_of_memory : StatusCode::io_error, "{}: cannot {} {} bytes: {}", shown,
         map ? "map" : "allocate", size, reason(error));
  }
  file->data_ = static_cast<std::byte*>(memory);
  file->size_ = status.st_size;
  if (!map) {
    // Fewer page-table walks when kernels stream the weights.
    if (size >= (size_t{2} << 20)) ::madvise(memory, size, MADV_HUGEPAGE);
    read_range(descriptor.number(), shown, file->data_, 0, file->size_);
    ::mprotect(memory, size, PROT_READ);
  }
  if (mode == WeightsMode::parts) file->descriptor_ = descriptor.release();
  return file;
}

void MappedFile::read(int64_t offset, int64_t size, std::byte* to) const {
  if (descriptor_ < 0) {
    std::memcpy(to, data_ + offset, static_cast<size_t>(size));
  } else {
    read_range(descriptor_, printable(path_, most_of_path), to, offset, size);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, static_cast<size_t>(size_));
  if (descriptor_ >= 0) ::close(descriptor_);
}

void MappedFile::advise(AccessHint hint, int64_t offset, int64_t size) const noexcept {
  if (mode_ == WeightsMode::read || offset < 0 || offset >= size_ || size <= 0) return;
  const int64_t end = offset + std::min(size, size_ - offset);
  const int64_t begin = offset - offset % std::max<int64_t>(::sysconf(_SC_PAGESIZE), 1);
  int advice = MADV_NORMAL;
  switch (hint) {
    case AccessHint::sequential:
      advice = MADV_SEQUENTIAL;
      break;
    case AccessHint::random:
      advice = MADV_RANDOM;
      break;
    case AccessHint::will_need:
      advice = MADV_WILLNEED;
      break;
    case AccessHint::not_needed:
      advice = MADV_DONTNEED;
      break;
  }
  ::madvise(data_ + begin, static_cast<size_t>(end - begin), advice);
}

}  // namespace graft
