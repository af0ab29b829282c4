// Bytes as a safetensors file: read_safetensors refuses them with an Error, or gives views that lie inside the file.
//
// The first byte says how the rest becomes a file: as it is (even), or with the header length put before it (odd), so
// that mutations of the header are not all refused for its length; the header then ends at the first newline.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/status.h"
#include "core/checkpoint/safetensors.h"

namespace {

/// A file in memory that has a path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {}
  const std::string& write(const std::string& bytes) {
    const auto size = static_cast<ssize_t>(bytes.size());
    if (ftruncate(descriptor_, size) != 0 || pwrite(descriptor_, bytes.data(), bytes.size(), 0) != size) abort();
    return path_;
  }

 private:
  int descriptor_;
  std::string path_;
};

std::string make_file(bool with_length, std::string bytes) {
  if (!with_length) return bytes;
  const size_t newline = bytes.find('\n');
  const uint64_t size = newline == std::string::npos ? bytes.size() : newline;
  if (newline != std::string::npos) bytes.erase(newline, 1);
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(size >> (8 * i));
  return length + bytes;
}

void read_all(const graft::TensorEntry& tensor) {
  const auto bytes = tensor.file->bytes();
  if (tensor.byte_size < 0 || tensor.data < bytes.data() ||
      tensor.data + tensor.byte_size > bytes.data() + bytes.size()) {
    abort();
  }
  int64_t product = 1;
  for (const int64_t size : tensor.shape) product *= size;
  if (product != tensor.elements) abort();
  volatile unsigned sum = 0;
  for (int64_t i = 0; i < tensor.byte_size; ++i) sum = sum + static_cast<unsigned>(tensor.data[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static MemoryFile file;
  if (size < 2) return 0;
  const std::string bytes = make_file(data[0] % 2 == 1, std::string(data + 1, data + size));
  const auto mode = data[0] & 2 ? graft::WeightsMode::read : graft::WeightsMode::map;
  try {
    for (const graft::TensorEntry& tensor : graft::read_safetensors(graft::MappedFile::open(file.write(bytes), mode))) {
      read_all(tensor);
    }
  } catch (const graft::Error& error) {
    if (error.code() == graft::StatusCode::internal || *error.what() == '\0') abort();
  }
  return 0;
}
