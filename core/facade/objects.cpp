#include "core/facade/objects.h"

#include <algorithm>

namespace graft::facade {

void write_error(ErrorText* error, std::string_view message) noexcept {
  if (error == nullptr || error->capacity <= 0) return;
  size_t size = std::min(message.size(), static_cast<size_t>(error->capacity - 1));
  // Do not cut inside a character: continuation bytes are 10xxxxxx.
  while (size > 0 && size < message.size() && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  std::memcpy(error->data, message.data(), size);
  error->data[size] = '\0';
}

void assign(Buffer& buffer, std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (buffer.capacity < size + 1 && buffer.reserve(&buffer, size + 1) == nullptr) {
    fail(StatusCode::out_of_memory, "{} bytes of text do not fit in memory", size);
  }
  if (size > 0) std::memcpy(buffer.data, bytes.data(), bytes.size());
  buffer.data[size] = '\0';
  buffer.size = size;
}

}  // namespace graft::facade
