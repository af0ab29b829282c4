// A whole file, read-only, in memory: mapped or read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace graft {

/// map: pages come from the file when touched; the file must not shrink while it is open (the system ends the process
/// then). read: copied into memory at once, for those who cannot promise that. parts: mapped, and the file stays open
/// so that MappedFile::read can copy parts of it.
enum class WeightsMode { map, read, parts };

/// What is about to happen to a range; a hint only.
enum class AccessHint { sequential, random, will_need, not_needed };

/// Immutable after open; any thread. Whoever holds the pointer keeps the bytes.
class MappedFile {
 public:
  /// Throws NOT_FOUND when the file is missing, IO_ERROR when it is a directory, not a regular file, not permitted or
  /// fails to read, CORRUPT_DATA when it is empty, LIMIT_EXCEEDED above `max_size` bytes (nothing is read then),
  /// OUT_OF_MEMORY; each names the path.
  static std::shared_ptr<const MappedFile> open(const std::string& path, WeightsMode mode,
                                                int64_t max_size = std::numeric_limits<int64_t>::max());
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  WeightsMode mode() const noexcept { return mode_; }
  int64_t size() const noexcept { return size_; }           ///< bytes, at least 1
  const std::byte* data() const noexcept { return data_; }  ///< page-aligned
  std::span<const std::byte> bytes() const noexcept { return {data_, static_cast<size_t>(size_)}; }

  /// Copies bytes [offset, offset + size), inside the file. With `parts` they are read from the file, so that one that
  /// has shrunk is an error and not the end of the process; otherwise from memory. Throws IO_ERROR naming the path.
  void read(int64_t offset, int64_t size, std::byte* to) const;

  /// Passes the hint to the system for the pages wholly or partly inside the range (clipped to the file). Does nothing
  /// for files that were read.
  void advise(AccessHint hint, int64_t offset, int64_t size) const noexcept;

 private:
  MappedFile(std::string path, WeightsMode mode) : path_(std::move(path)), mode_(mode) {}

  std::string path_;
  WeightsMode mode_;
  int descriptor_ = -1;  ///< of `parts`
  std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace graft
