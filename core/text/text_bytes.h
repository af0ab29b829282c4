// Sizes, statuses and memory across the C interface of text_ffi.h. Private to core/text.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/base/status.h"
#include "core/text/text_ffi.h"

namespace graft {

inline const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

inline int64_t size_of(std::string_view text) {
  if (text.size() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    fail(StatusCode::limit_exceeded, "text of {} bytes", text.size());
  return static_cast<int64_t>(text.size());
}

/// Bytes of the Rust side, given back at the end of the scope.
class Bytes {
 public:
  Bytes() = default;
  ~Bytes() { graft_text_bytes_free(bytes_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  graft_text_bytes* out() { return &bytes_; }
  std::string str() const {
    return bytes_.size > 0 ? std::string(reinterpret_cast<const char*>(bytes_.data), static_cast<size_t>(bytes_.size))
                           : std::string();
  }

 private:
  graft_text_bytes bytes_{nullptr, 0};
};

/// Throws the failure of a call; `source` names what it was about.
inline void check(int32_t status, const Bytes& error, const std::string& source) {
  if (status != 0) fail(static_cast<StatusCode>(status), "{}: {}", source, error.str());
}

}  // namespace graft
