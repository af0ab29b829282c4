#include "npy.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "errors.h"

namespace cli {

static_assert(std::endian::native == std::endian::little, "values are written as they lie in memory");

std::string npy_header(const std::vector<int64_t>& shape) {
  constexpr size_t prefix_size = 10;  // magic 6, version 2, header length 2
  constexpr size_t alignment = 64;
  std::string sizes;
  for (const int64_t size : shape) sizes += std::to_string(size) + ", ";
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);  // Python writes (3, 4) but (3,)
  if (shape.size() == 1) sizes.pop_back();
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
  const size_t unpadded = prefix_size + header.size() + 1;
  header.append((alignment - unpadded % alignment) % alignment, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header;
}

NpyWriter::NpyWriter(const std::string& path, const std::vector<int64_t>& shape) : path_(path), missing_(1) {
  for (const int64_t size : shape) missing_ *= size;
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) fail("cannot be written");
  const std::string header = npy_header(shape);
  file_.write(header.data(), static_cast<std::streamsize>(header.size()));
}

NpyWriter::~NpyWriter() {
  if (finished_) return;
  file_.close();
  std::error_code ignored;  // only what is a plain file: the path may be a device or a pipe
  const auto status = std::filesystem::symlink_status(path_, ignored);
  if (std::filesystem::is_regular_file(status)) std::filesystem::remove(path_, ignored);
}

void NpyWriter::append(const float* values, int64_t count) {
  missing_ -= count;
  file_.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count) * 4);
  if (!file_) fail("cannot be written");
}

void NpyWriter::finish() {
  file_.close();
  if (!file_) fail("cannot be written");
  if (missing_ != 0) fail("has " + std::to_string(missing_) + " values too few");
  finished_ = true;
}

void NpyWriter::fail(const std::string& what) const {
  const std::string reason = errno != 0 ? std::string(" (") + std::strerror(errno) + ")" : "";
  throw Failure(GRAFT_STATUS_IO_ERROR, path_ + ": " + what + reason);
}

}  // namespace cli
