// The status codes of the C ABI and the one exception type of the core.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace graft {

/// Same numbers as graft_status in <graft/status.h>; the facade asserts it.
enum class StatusCode : int32_t {
  ok = 0,
  invalid_argument = 1,
  invalid_state = 2,
  not_found = 3,
  unsupported = 4,
  limit_exceeded = 5,
  busy = 6,
  out_of_memory = 7,
  device_error = 8,
  comm_error = 9,
  io_error = 10,
  corrupt_data = 11,
  buffer_too_small = 12,
  cancelled = 13,
  timeout = 14,
  deadline_exceeded = 15,
  closed = 16,
  version_mismatch = 17,
  end = 18,
  internal = 19,
};

/// Thrown inside the core, turned into a status and a message at the facade; never leaves a library.
class Error : public std::exception {
 public:
  Error(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  StatusCode code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  StatusCode code_;
  std::string message_;
};

/// Throws Error. The message names the file, key or argument, what was found and what was expected.
template <class... Args>
[[noreturn]] void fail(StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace graft
